export { attachEmbedded } from './attach.js';
export { type Embedded, type EmbeddedOptions, startEmbedded } from './start.js';
