import { writeFileSync } from 'node:fs';
import { configJsonSchemaText } from './json-schema.js';

// `npm run schema`: writes sendoff.schema.json into the current folder.
writeFileSync('sendoff.schema.json', configJsonSchemaText());
