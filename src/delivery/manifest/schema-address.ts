// Where editors find the JSON Schemas: in the published package.

export const schemaAddress = (file: 'app' | 'sampan'): string => `https://unpkg.com/sampan/schema/${file}.schema.json`

/** The first line of a file, which the YAML language server reads. */
export const schemaLine = (address: string): string => `# yaml-language-server: $schema=${address}`
