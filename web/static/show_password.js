// Adds a button to every password field that shows what was typed. Without scripts the field is there all the same.
for (const input of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  button.textContent = 'Show'
  button.setAttribute('aria-controls', input.id)
  button.setAttribute('aria-label', 'Show password')
  button.setAttribute('aria-pressed', 'false')
  const show = (shown) => {
    input.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
    button.textContent = shown ? 'Hide' : 'Show'
  }
  button.addEventListener('click', () => show(input.type === 'password'))
  // Hidden again before it leaves: browsers remember what was typed into fields of text.
  input.form?.addEventListener('submit', () => show(false))
  input.after(button)
}
