// What gets certificates of public authorities for the gateway: loaded with the first issuer, and running on one server of
// several.
import type { Certificates } from '../gateway/certificates/certificates.ts'
import type { WantedCertificate } from '../gateway/model/issuer-lookup.ts'
import type { Running } from '../control/controller.ts'

export interface CertificatesSetup {
  readonly elected: (component: string, start: () => Promise<Running>) => Promise<Running>
  readonly start: () => Promise<Certificates>
}

export function gatewayCertificates({ elected, start }: CertificatesSetup): Certificates {
  let latest: readonly WantedCertificate[] = []
  let working: Certificates | undefined
  let taking: Promise<Running> | undefined

  async function begin(): Promise<Running> {
    const begun = (working = await start())
    begun.want(latest)
    return {
      stop() {
        working = undefined
        return begun.stop()
      },
    }
  }

  return {
    want(all) {
      latest = all
      working?.want(all)
      taking ??= elected('gateway-certificates', begin)
    },
    warnings: () => working?.warnings() ?? [],
    async stop() {
      await (await taking)?.stop()
    },
  }
}
