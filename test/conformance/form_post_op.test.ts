import t from 'tap'
import { basicModules } from './basic_modules.ts'

t.test('Form Post OP: the modules of Basic OP with response_mode=form_post', async (t) => basicModules(t, 'form_post'))
