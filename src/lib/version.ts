// Sampan's own version, kept equal to package.json by a test.

export const sampanVersion = '0.1.0'
