// Recorded exchanges that Sampan answers differently on purpose, each with its reason.

export const knownDifferences: Readonly<Record<string, string>> = {}
