// The browser's own URL, in place of the package `url-parse` that tus-js-client brings for old ones (see build.mjs).
// It takes no relative base: the endpoint that the client is given is whole.
export default URL;
