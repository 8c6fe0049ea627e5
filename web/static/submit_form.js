// Sends the page's only form at once. Without scripts its button does the same.
document.forms[0]?.requestSubmit()
