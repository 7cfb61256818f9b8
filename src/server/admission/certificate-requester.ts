// A certificate request says who asked: the server writes that, whatever the request itself claims.
// (In the original the kind's strategy does it; kinds here do not know who is asking.)
import type { CertificateSigningRequest } from '../../api/generated/models.ts'
import type { AdmissionPlugin } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  mutate(request) {
    if (
      request.operation !== 'CREATE' ||
      !isPlainResource(request, 'certificates.k8s.io', 'certificatesigningrequests')
    )
      return
    const spec = ((request.object as Partial<CertificateSigningRequest>).spec ??=
      {} as CertificateSigningRequest['spec'])
    const { username, uid, groups, extra } = request.caller.user
    spec.username = username
    spec.groups = [...groups]
    if (uid === undefined) delete spec.uid
    else spec.uid = uid
    if (extra === undefined) delete spec.extra
    else spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
  },
}
