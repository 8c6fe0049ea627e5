import t from 'tap'
import { basicModules } from './basic_modules.ts'

t.test('Basic OP: the response mode of the response type', async (t) => basicModules(t, undefined))
