// What is to be installed for production, from the lock files that Python's tools write: a program in Python, because
// only Python can tell which of a lock file's conditions hold for it. It brings its own reader of TOML and conditions:
// that of pip. Source: the formats of uv.lock 1, poetry.lock 1 and 2, Pipfile.lock 6.

/** `python -c PROGRAM FOLDER FILE`: prints `{ requirements: [text], problems: [text], python: text }` */
export const lockedRequirements = `
import json, os, platform, sys
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name as canonical

folder, name = sys.argv[1:]
problems = []
needed = {}

def toml(path):
    with open(os.path.join(folder, path), 'rb') as file:
        return tomllib.load(file)

def holds(marker, extras=()):
    if not marker:
        return True
    return any(Marker(marker).evaluate({'extra': extra}) for extra in (extras or ('',)))

def add(package, version, hashes):
    needed[canonical(package)] = package + '==' + version + ''.join(' --hash=' + text for text in sorted(set(hashes)))

project = toml('pyproject.toml') if os.path.exists(os.path.join(folder, 'pyproject.toml')) else {}
wanted = project.get('project', {}).get('requires-python')
if wanted and platform.python_version() not in SpecifierSet(wanted, prereleases=True):
    problems.append('python ' + wanted)

def uv():
    lock = toml(name)
    packages = {}
    for package in lock.get('package', []):
        packages.setdefault(canonical(package['name']), []).append(package)
    own = canonical(project.get('project', {}).get('name', ''))
    seen = set()

    def visit(edge):
        if not holds(edge.get('marker')):
            return
        several = packages.get(canonical(edge['name']), [])
        found = [one for one in several if edge.get('version') in (None, one.get('version'))
                 and (not one.get('resolution-markers') or len(several) == 1 or any(holds(text) for text in one['resolution-markers']))]
        for package in found[:1]:
            take(package, tuple(sorted(edge.get('extra', []))))

    def take(package, extras):
        key = (package['name'], package.get('version'), extras)
        if key in seen:
            return
        seen.add(key)
        source = package.get('source', {})
        if canonical(package['name']) != own:
            if 'registry' in source or 'url' in source:
                files = package.get('wheels', []) + ([package['sdist']] if 'sdist' in package else [])
                add(package['name'], package['version'], [file['hash'] for file in files if 'hash' in file])
            else:
                problems.append('source ' + package['name'] + ' (' + ', '.join(source) + ')')
        for edge in package.get('dependencies', []):
            visit(edge)
        for extra in extras:
            for edge in package.get('optional-dependencies', {}).get(extra, []):
                visit(edge)

    for package in packages.get(own, []):
        take(package, ())

def poetry():
    lock = toml(name)
    packages = {}
    for package in lock.get('package', []):
        packages.setdefault(canonical(package['name']), []).append(package)
    files = lock.get('metadata', {}).get('files', {})
    seen = set()

    def take(wanted, extras):
        wanted = canonical(wanted)
        if (wanted, extras) in seen:
            return
        seen.add((wanted, extras))
        for package in packages.get(wanted, []):
            marker = package.get('markers')
            if isinstance(marker, dict):
                marker = marker.get('main')
            if not holds(marker):
                continue
            if package.get('source', {}).get('type') in ('git', 'directory', 'file'):
                problems.append('source ' + package['name'] + ' (' + package['source']['type'] + ')')
                continue
            add(package['name'], package['version'], [file['hash'] for file in package.get('files', files.get(package['name'], []))])
            optional = set()
            for extra in extras:
                for text in package.get('extras', {}).get(extra, []):
                    optional.add(canonical(Requirement(text.split(' (')[0]).name))
            for dependency, said in package.get('dependencies', {}).items():
                for one in said if isinstance(said, list) else [said]:
                    one = one if isinstance(one, dict) else {}
                    if one.get('optional') and canonical(dependency) not in optional:
                        continue
                    if holds(one.get('markers'), extras):
                        take(dependency, tuple(sorted(one.get('extras', []))))
                        break
            break

    for dependency, said in project.get('tool', {}).get('poetry', {}).get('dependencies', {}).items():
        for one in said if isinstance(said, list) else [said]:
            one = one if isinstance(one, dict) else {}
            if dependency.lower() != 'python' and not one.get('optional') and holds(one.get('markers')):
                take(dependency, tuple(sorted(one.get('extras', []))))
    for text in project.get('project', {}).get('dependencies', []):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({'extra': ''}):
            take(requirement.name, tuple(sorted(requirement.extras)))

def pipfile():
    with open(os.path.join(folder, name)) as file:
        lock = json.load(file)
    for package, said in lock.get('default', {}).items():
        if not holds(said.get('markers')):
            continue
        if 'version' not in said:
            problems.append('source ' + package)
        else:
            add(package, said['version'].lstrip('='), said.get('hashes', []))

{'uv.lock': uv, 'poetry.lock': poetry, 'Pipfile.lock': pipfile}[name]()
print(json.dumps({'requirements': sorted(needed.values()), 'problems': sorted(set(problems))}))
`
