// The browser's own URL, in place of the package `url-parse` that tus-js-client brings for old ones (see build.mjs).
export default URL;
