// What buildah needs of a machine where a user other than root builds: user namespaces, and ids that are the user's to
// give to whoever owns files in an image. What it says when one is missing names neither who can give it nor how.

/** @param said by buildah @param user who builds @returns what to do; undefined: it is nothing of that */
export function missingForRootless(said: string, user: string): string | undefined {
  if (/\bnew[ug]idmap\b.*(?:not found|no such file)/i.test(said))
    return `buildah needs newuidmap for users other than root; install it with: sudo apt-get install uidmap`
  if (/no sub[ug]id ranges found|found no [ug]id ranges set aside/i.test(said))
    return `buildah needs ids for what is in an image, and ${user} has none in /etc/subuid and /etc/subgid; give some with: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`
  if (
    /cannot clone|user namespaces are not enabled|max_user_namespaces|unshare.*(?:not permitted|no space)/i.test(said)
  )
    return `buildah needs user namespaces where ${user} builds, and this machine gives none; allow them with: sudo sysctl user.max_user_namespaces=15000 (and kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0, where the kernel has those), or build as root`
  return undefined
}
