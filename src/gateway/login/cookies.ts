// Cookies as browsers send and get them. Pure. Source: RFC 6265.

export const cookiesOf = (header = ''): ReadonlyMap<string, string> =>
  new Map(
    header.split(';').flatMap(part => {
      const [name = '', ...value] = part.split('=')
      return value.length === 0 ? [] : [[name.trim(), value.join('=').trim()] as const]
    }),
  )

export interface CookieOptions {
  readonly path: string
  /** 0: it goes. */
  readonly seconds: number
  /** It came by TLS, and comes by nothing else from now on. */
  readonly isSecure: boolean
}

/** That no page of others sends along, and no script reads. @param value without characters that mean something */
export const setCookie = (name: string, value: string, { path, seconds, isSecure }: CookieOptions): string =>
  [
    `${name}=${value}`,
    `Path=${path}`,
    `Max-Age=${seconds}`,
    'HttpOnly',
    'SameSite=Lax',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ')
