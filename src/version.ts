import { toPython } from './api/versions';

// The bundler reads the file, which lies outside of the compiler's root, and keeps
// this one field.
declare function require(file: '../package.json'): { version: string };

/** Version of this page's half, as Python writes it. */

export const VERSION = toPython(require('../package.json').version);
