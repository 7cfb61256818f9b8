// What people read where a login does not go on by itself. Pure.

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const page = (words: string): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<title>Login</title>',
    `<p>${words.replaceAll(/[&<>"']/g, character => escapes[character]!)}</p>`,
    '<p><a href="/">Go to the first page</a></p>',
    '</html>',
    '',
  ].join('\n')
