import { expect, test } from 'vitest'
import { spdxDocument } from './bill-of-materials.ts'

test('has the image and each component once, with licences as far as they are expressions', () => {
  const lodash = { name: 'lodash', version: '4.17.21', purl: 'pkg:npm/lodash@4.17.21', license: 'MIT' }
  const odd = { name: '@a/b', version: '1.0.0', purl: 'pkg:npm/%40a/b@1.0.0', license: 'SEE LICENSE IN FILE' }
  const document = spdxDocument([lodash, odd, lodash], {
    repository: 'team/web',
    tag: '1.0.0',
    digest: `sha256:${'a'.repeat(64)}`,
    tool: 'sampan-1.0.0',
  })
  expect(document).toMatchObject({
    SPDXID: 'SPDXRef-DOCUMENT',
    documentNamespace: `https://sampan.dev/spdx/team/web/sha256-${'a'.repeat(64)}`,
    creationInfo: { created: '1970-01-01T00:00:00Z', creators: ['Tool: sampan-1.0.0'] },
    packages: [
      { name: 'team/web', primaryPackagePurpose: 'CONTAINER' },
      { name: '@a/b', licenseDeclared: 'NOASSERTION', externalRefs: [{ referenceLocator: 'pkg:npm/%40a/b@1.0.0' }] },
      { name: 'lodash', versionInfo: '4.17.21', licenseDeclared: 'MIT' },
    ],
    relationships: [
      { relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-Image' },
      { spdxElementId: 'SPDXRef-Image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-Package-1' },
      { relatedSpdxElement: 'SPDXRef-Package-2' },
    ],
  })
})
