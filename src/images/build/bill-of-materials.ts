// What is in an image, as an SPDX document: the same to the byte whenever the image is. Source: SPDX 2.3; OCI image
// specification 1.1, "Guidelines for artifact usage".
import type { Component } from './image-content.ts'

export interface Described {
  readonly repository: string
  readonly tag: string
  /** Of the image's manifest. */
  readonly digest: string
  /** Who made the document. */
  readonly tool: string
}

export const spdxType = 'application/spdx+json'

export function spdxDocument(components: readonly Component[], { repository, tag, digest, tool }: Described): object {
  const image = {
    SPDXID: 'SPDXRef-Image',
    name: repository,
    versionInfo: tag,
    primaryPackagePurpose: 'CONTAINER',
    downloadLocation: 'NOASSERTION',
    checksums: [{ algorithm: 'SHA256', checksumValue: digest.replace('sha256:', '') }],
    externalRefs: [
      reference(
        `pkg:oci/${encodeURIComponent(repository.slice(repository.lastIndexOf('/') + 1))}@${encodeURIComponent(digest)}`,
      ),
    ],
  }
  const packages = unique(components).map(({ name, version, purl, license }, index) => ({
    SPDXID: `SPDXRef-Package-${index + 1}`,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license !== undefined && licensePattern.test(license) ? license : 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [reference(purl)],
  }))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${repository}:${tag}`,
    documentNamespace: `https://sampan.dev/spdx/${repository}/${digest.replace(':', '-')}`,
    creationInfo: { created: '1970-01-01T00:00:00Z', creators: [`Tool: ${tool}`] },
    packages: [image, ...packages],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID },
      ...packages.map(({ SPDXID: id }) => ({
        spdxElementId: image.SPDXID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: id,
      })),
    ],
  }
}

/** What SPDX's expressions are made of. */
const licensePattern = /^\(?[A-Za-z0-9.+-]+(?:\)?\s+(?:AND|OR|WITH)\s+\(?[A-Za-z0-9.+-]+)*\)?$/

const reference = (purl: string): object => ({
  referenceCategory: 'PACKAGE-MANAGER',
  referenceType: 'purl',
  referenceLocator: purl,
})

/** Each once, in the order of their names. */
const unique = (components: readonly Component[]): Component[] =>
  [...new Map(components.map(component => [component.purl, component])).values()].toSorted((left, right) =>
    left.purl < right.purl ? -1 : 1,
  )
