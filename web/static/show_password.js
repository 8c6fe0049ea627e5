// Adds a button to every password field that shows what was typed. Without scripts the field is there all the same.
for (const input of document.querySelectorAll('input[type="password"]')) {
  const words = input.dataset
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  button.setAttribute('aria-controls', input.id)
  const show = (shown) => {
    input.type = shown ? 'text' : 'password'
    button.textContent = shown ? words.hide : words.show
    button.setAttribute('aria-label', shown ? words.hideLabel : words.showLabel)
  }
  show(false)
  button.addEventListener('click', () => show(input.type === 'password'))
  // Hidden again before it leaves: browsers remember what was typed into fields of text.
  input.form?.addEventListener('submit', () => show(false))
  input.after(button)
}
