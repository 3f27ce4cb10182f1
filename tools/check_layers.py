#!/usr/bin/env python3
"""Who may include what: enforces the layer table below on every #include, and a few rules beside it.

usage: check_layers.py [--root DIR] [--rfc-dir DIR] [--self-test]

Prints one line a violation (file:line: rule) and ends with 1 if there is any. --rfc-dir names a folder of
rfcNNNN.txt files: then the section of every "RFC nnnn §x" reference is looked up there, too. --self-test plants
one violation of every rule in a temporary tree and ends with 1 unless each is found.
"""

import argparse
import os
import re
import sys
import tempfile
from typing import NamedTuple


class Layer(NamedTuple):
    path: str            # files below this path; the longest match counts
    project: tuple       # project paths it may include, besides itself
    libraries: tuple     # libraries that its headers and sources may include
    sources_only: tuple  # libraries that its .cc files alone may include, and headers that nobody outside includes


ANYTHING = ('protocol/', 'storage/', 'server/', 'tools/', 'tests/')
EVERY_LIBRARY = ('*',)

# The table: the standard library and POSIX headers are free for all but protocol/model (POSIX).
LAYERS = (
    Layer('protocol/model/', (), ('fmt', 'expected'), ()),
    Layer('protocol/text/', ('protocol/model/',), ('fmt', 'expected'), ('icu',)),
    # RFC 4422 §3.4.1: an authorization identity is compared as the protocol's own names are, that is as CPM addresses.
    Layer('protocol/sasl/', ('protocol/model/', 'protocol/text/', 'protocol/cpm/'), ('fmt', 'expected'), ('openssl',)),
    Layer('protocol/imap/', ('protocol/model/', 'protocol/text/'), ('fmt', 'expected'), ()),
    Layer('protocol/mime/', ('protocol/model/', 'protocol/text/'), ('fmt', 'expected'), ('gmime',)),
    Layer('protocol/cpm/', ('protocol/model/', 'protocol/mime/', 'protocol/text/'), ('fmt', 'expected'),
          ('libxml2',)),
    Layer('storage/error.h', (), ('fmt', 'expected'), ()),
    # What may not wait, and who asks for it: a reactor that has a short read to make.
    Layer('storage/memory_only.h', ('storage/error.h',), (), ()),
    Layer('storage/kv/', ('storage/error.h', 'storage/memory_only.h'), ('fmt', 'expected'), ('rocksdb',)),
    Layer('storage/schema/', ('protocol/model/', 'storage/error.h'), ('fmt', 'expected'), ()),
    Layer('storage/store/', ('storage/error.h', 'storage/memory_only.h', 'storage/schema/', 'storage/kv/', 'protocol/model/', 'protocol/mime/',
                             'protocol/cpm/', 'protocol/text/'), ('fmt', 'expected'), ()),
    Layer('storage/check/', ('storage/error.h', 'storage/schema/', 'storage/kv/', 'storage/store/', 'protocol/model/',
                             'protocol/mime/', 'protocol/cpm/', 'protocol/text/'), ('fmt', 'expected'), ()),
    Layer('server/clock.h', (), (), ()),
    Layer('server/short_read.h', ('storage/memory_only.h', 'server/net/'), ('asio',), ()),
    Layer('server/config/', ('protocol/model/', 'protocol/cpm/', 'storage/error.h'), ('fmt', 'expected', 'spdlog'),
          ('toml++', 'asio')),
    # Streams, reactors and the storage executor know neither a protocol nor the store: the faces stand on them.
    Layer('server/net/', ('server/clock.h', 'server/config/', 'server/pch/'),
          ('fmt', 'expected', 'spdlog', 'asio', 'sockets', 'openssl'), ('zlib',)),
    Layer('server/net/asio_src.cc', ('server/net/',), ('asio', 'beast', 'sockets', 'json'), ()),
    Layer('server/auth/', ('protocol/model/', 'protocol/cpm/', 'protocol/sasl/', 'protocol/text/', 'storage/store/',
                           'storage/error.h', 'server/clock.h', 'server/config/', 'server/net/',
                           'server/short_read.h'),
          ('fmt', 'expected', 'spdlog', 'asio'), ('sodium', 'openssl', 'crypt', 'json')),
    # Another's service is asked over HTTP; the rest of auth/ knows no socket.
    Layer('server/auth/external_verifier', ('protocol/model/', 'protocol/text/', 'server/clock.h', 'server/config/',
                                            'server/auth/circuit_breaker.h', 'server/net/'),
          ('fmt', 'expected', 'spdlog', 'asio', 'sockets', 'beast'), ('json', 'openssl')),
    Layer('server/sessions/', ('storage/store/folder.h', 'server/net/'), ('asio',), ()),
    # What URLs and references are good for: for every face.
    Layer('server/references/', ('protocol/', 'storage/store/', 'storage/error.h', 'storage/memory_only.h',
                                 'server/clock.h'),
          ('fmt', 'expected'), ('openssl',)),
    Layer('server/imap/', ('protocol/', 'storage/store/', 'storage/error.h', 'server/auth/', 'server/clock.h',
                           'server/config/', 'server/net/', 'server/references/', 'server/sessions/',
                           'server/short_read.h', 'storage/memory_only.h', 'server/pch/'),
          ('fmt', 'expected', 'spdlog', 'asio'), ()),
    Layer('server/http/', ('protocol/model/', 'protocol/mime/', 'protocol/cpm/', 'protocol/text/',
                           'protocol/imap/object_id.h', 'protocol/imap/url.h', 'storage/store/', 'storage/error.h',
                           'server/auth/', 'server/clock.h', 'server/config/', 'server/net/', 'server/references/',
                           'server/sessions/', 'server/short_read.h', 'server/pch/'),
          ('fmt', 'expected', 'spdlog', 'asio', 'sockets', 'beast', 'json', 'prometheus'), ('openssl',)),
    Layer('server/pch/', (), EVERY_LIBRARY, ()),
    Layer('server/', ANYTHING, EVERY_LIBRARY, ()),  # main.cc, the composition root
    Layer('tools/', ANYTHING, EVERY_LIBRARY, ()),
    Layer('tests/', ANYTHING, EVERY_LIBRARY, ()),
)

# <...> includes to library names; the first match counts, what matches nothing is the standard library or POSIX.
LIBRARIES = (
    ('asio', r'boost/asio/ip/address'),  # a value
    ('sockets', r'boost/asio/(ip/|ssl|local/|basic_.*socket|.*stream_descriptor|connect|read|write|windows/|posix/)'),
    ('asio', r'boost/(asio|system)\b'),
    ('beast', r'boost/beast'),
    ('json', r'boost/json'),
    ('boost', r'boost/'),
    ('openssl', r'openssl/'),
    ('rocksdb', r'rocksdb/'),
    ('gmime', r'(gmime|glib|gio)\b'),
    ('libxml2', r'libxml/'),
    ('icu', r'unicode/'),
    ('sodium', r'sodium'),
    ('crypt', r'crypt\.h'),
    ('spdlog', r'spdlog/'),
    ('fmt', r'fmt/'),
    ('expected', r'tl/expected'),
    ('toml++', r'toml(\+\+|plusplus)'),
    ('cli11', r'CLI/'),
    ('prometheus', r'prometheus/'),
    ('zlib', r'zlib\.h'),
    ('jemalloc', r'jemalloc/'),
    ('tests', r'(gtest|gmock|rapidcheck|benchmark)\b'),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
USING_NAMESPACE = re.compile(r'^\s*using\s+namespace\b')
RFC = re.compile(r'\bRFC (\d{3,5}) §\s*([0-9A-Z]+(?:\.[0-9]+)*)?')
COVERED = re.compile(r'^\|\s*\[?(?:RFC\s*)?(\d{3,5})\b')
POSIX = re.compile(r'^(sys/|netinet/|arpa/|unistd\.h|fcntl\.h|poll\.h|signal\.h|pthread\.h|dirent\.h)')


def library_of(header):
    for name, pattern in LIBRARIES:
        if re.match(pattern, header):
            return name
    return None


def layer_of(path):
    found = [layer for layer in LAYERS if path.startswith(layer.path)]
    return max(found, key=lambda layer: len(layer.path), default=None)


def include_violation(layer, path, kind, header, private):
    """The rule that this #include breaks, or None."""
    if header.endswith(('.cc', '.cpp')):
        return f'includes the source file {header}'
    if layer is None:
        return None
    if kind == '"':
        if header.startswith(layer.path) or header.startswith(tuple(layer.project) or '\0'):
            return None
        if '/' not in header:
            return f'"{header}" is not written from the root'
        return f'{layer.path} may not include "{header}"'
    library = library_of(header)
    if library is None:
        if layer.path == 'protocol/model/' and POSIX.match(header):
            return f'protocol/model/ is the standard library and fmt alone, not <{header}>'
        return None
    if layer.libraries == EVERY_LIBRARY or library in layer.libraries:
        return None
    if library in layer.sources_only:
        return None if path.endswith('.cc') or private else f'{layer.path} may include {library} in .cc files only, not <{header}>'
    return f'{layer.path} may not use {library}: <{header}>'


def covered_rfcs(root):
    try:
        with open(os.path.join(root, 'protocol/README.md'), encoding='utf-8') as readme:
            return {m.group(1) for m in map(COVERED.match, readme) if m}
    except FileNotFoundError:
        return set()


def section_exists(rfc_dir, number, section):
    """True when rfcNNNN.txt has that heading, or when there is no such text to look into."""
    try:
        with open(os.path.join(rfc_dir, f'rfc{number}.txt'), encoding='utf-8', errors='replace') as text:
            heading = re.compile(rf'^\s*(?:Appendix )?{re.escape(section)}\.?[:\s]', re.MULTILINE)
            return bool(heading.search(text.read()))
    except FileNotFoundError:
        return True


def check_file(root, path, covered, rfc_dir, private):
    layer = layer_of(path)
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as source:
        for number, line in enumerate(source, 1):
            where = f'{path}:{number}'
            include = INCLUDE.match(line)
            if include and (rule := include_violation(layer, path, *include.groups(), private)):
                yield f'{where}: {rule}'
            if path.endswith('.h') and USING_NAMESPACE.match(line):
                yield f'{where}: "using namespace" in a header'
            for rfc, section in RFC.findall(line):
                if rfc not in covered:
                    yield f'{where}: RFC {rfc} is not in the coverage table of protocol/README.md'
                elif rfc_dir and section and not section_exists(rfc_dir, rfc, section):
                    yield f'{where}: RFC {rfc} has no section {section}'


def source_files(root):
    for top in ('protocol', 'storage', 'server', 'tools', 'tests'):
        for folder, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                if name.endswith(('.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def headers_used_outside(root, files):
    """Headers that a file of another folder includes; tests do not count, they may look anywhere."""
    used = set()
    for path in files:
        if path.startswith('tests/'):
            continue
        with open(os.path.join(root, path), encoding='utf-8', errors='replace') as source:
            included = {m.group(2) for m in map(INCLUDE.match, source) if m and m.group(1) == '"'}
        used |= {header for header in included if os.path.dirname(header) != os.path.dirname(path)}
    return used


def check(root, rfc_dir=None):
    covered = covered_rfcs(root)
    files = list(source_files(root))
    outside = headers_used_outside(root, files)
    violations = []
    for path in files:
        violations += check_file(root, path, covered, rfc_dir, private=path.endswith('.h') and path not in outside)
    return len(files), violations


# Self-test: file, a line that breaks a rule, and a piece of the message; or None where the line is allowed.
PLANTED = (
    ('protocol/model/a.h', '#include "storage/error.h"', 'may not include'),
    ('protocol/model/b.h', '#include <sys/socket.h>', 'standard library'),
    ('protocol/imap/a.cc', '#include <boost/asio.hpp>', 'may not use asio'),
    ('protocol/mime/a.h', '#include <gmime/gmime.h>', '.cc files only'),
    ('protocol/mime/private.h', '#include <gmime/gmime.h>', None),
    ('protocol/cpm/user.cc', '#include "protocol/mime/a.h"', None),
    ('protocol/mime/a.cc', '#include <gmime/gmime.h>', None),
    ('storage/kv/a.h', '#include <rocksdb/db.h>', '.cc files only'),
    ('storage/check/user.cc', '#include "storage/kv/a.h"', None),
    ('storage/kv/a.cc', '#include "protocol/model/ids.h"', 'may not include'),
    ('storage/schema/a.cc', '#include "storage/kv/engine.h"', 'may not include'),
    ('storage/store/a.cc', '#include "protocol/imap/limits.h"', 'may not include'),
    ('storage/store/b.cc', '#include "storage/kv/engine.h"', None),
    ('server/imap/a.cc', '#include "storage/schema/message_key.h"', 'may not include'),
    ('server/imap/b.cc', '#include <boost/asio/ip/tcp.hpp>', 'may not use sockets'),
    ('server/imap/c.cc', '#include <boost/asio/awaitable.hpp>', None),
    ('server/net/a.cc', '#include "storage/store/mail_store.h"', 'may not include'),
    ('server/net/b.cc', '#include "server/imap/session.h"', 'may not include'),
    ('server/main.cc', '#include "storage/kv/engine.h"', None),
    ('tests/unit/a.cc', '#include "protocol/imap/parse/store.cc"', 'source file'),
    ('storage/store/c.h', 'using namespace std;', 'using namespace'),
    ('storage/store/c.cc', 'using namespace std::chrono_literals;', None),
    ('server/imap/d.cc', '// RFC 9999 §1', 'coverage table'),
    ('server/imap/e.cc', '// RFC 3501 §6.4.5', None),
    ('server/imap/f.cc', '// RFC 3501 §6.4.77', 'no section'),
    ('server/imap/g.cc', '#include "session.h"', 'from the root'),
)


def self_test():
    bad = 0
    with tempfile.TemporaryDirectory() as root:
        planted = [('protocol/README.md', '| 3501 | IMAP4rev1 | yes | imap/ |\n'),
                   ('rfc/rfc3501.txt', '6.4.5.  FETCH Command\n')]
        for path, text in planted + [(path, line + '\n') for path, line, _ in PLANTED]:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as out:
                out.write(text)
        _, violations = check(root, os.path.join(root, 'rfc'))
    for path, line, expected in PLANTED:
        found = [v for v in violations if v.startswith(path + ':')]
        if (expected is None and found) or (expected is not None and not any(expected in v for v in found)):
            bad += 1
            print(f'self-test: {path}: {line!r}: expected {expected!r}, found {found}')
    print(f'self-test: {len(PLANTED) - bad} of {len(PLANTED)} rules as expected')
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    parser.add_argument('--rfc-dir')
    parser.add_argument('--self-test', action='store_true')
    options = parser.parse_args()
    if options.self_test:
        return 1 if self_test() else 0
    files, violations = check(options.root, options.rfc_dir)
    for violation in violations:
        print(violation)
    print(f'{files} files, {len(violations)} violations')
    return 1 if violations or not files else 0


if __name__ == '__main__':
    sys.exit(main())
