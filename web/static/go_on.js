// Follows the page's link once every frame has loaded, or after a while: a client that does not answer holds nobody up.
const PATIENCE_MILLISECONDS = 3000

const link = document.querySelector('a#go-on')
const frames = [...document.querySelectorAll('iframe')]
const loaded = frames.map((frame) => new Promise((resolve) => frame.addEventListener('load', resolve)))
const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MILLISECONDS))
await Promise.race([Promise.all(loaded), patience])
if (link !== null) location.replace(link.href)
