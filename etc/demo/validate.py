#!/usr/bin/env python3
"""Checks the demo objects against their own rules: one PASS or FAIL line an object, and one for the set.

An object has CRLF line ends, parses as MIME without defects, carries the headers of its kind, agrees with its
folder and its internal date, and is unique; every notification refers to a message of its folder.
"""

import email.policy
import email.utils
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
OWNER = 'tel:+15550100111'
CPM = ('Conversation-ID', 'Contribution-ID', 'IMDN-Message-ID', 'Message-Direction')
MESSAGE = ('From', 'To', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type') + CPM
REQUIRED = {
    'chat': MESSAGE + ('Content-Transfer-Encoding',),
    'imdn': MESSAGE + ('Content-Transfer-Encoding',),
    'legacy': MESSAGE + ('Message-Correlator', 'Message-Context'),
    'standalone': MESSAGE,
    'session info': MESSAGE,
    'file transfer': MESSAGE,
    'group state': MESSAGE,
    'media': ('From', 'Date', 'MIME-Version', 'Content-Type'),
    'mail': ('From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'),
}
SCRIPTS = {'Greek': '\u0370-\u03ff', 'Arabic': '\u0600-\u06ff', 'Devanagari': '\u0900-\u097f', 'Kana': '\u3040-\u30ff',
           'Han': '\u4e00-\u9fff', 'Polish letters': 'żźćłąęśń', 'emoji': '\U0001f300-\U0001faff'}


class Bad(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Bad(text)


class Object:
    """One object: its row in the manifest, its octets and what they say."""

    def __init__(self, row):
        self.row = row
        with open(os.path.join(HERE, row['file']), 'rb') as source:
            self.octets = source.read()
        self.mail = email.message_from_bytes(self.octets, policy=email.policy.default)
        # As written: the package's address parser does not know tel: URIs.
        self.raw = email.message_from_bytes(self.octets, policy=email.policy.compat32)
        # The email package would descend into message/cpim; to IMAP it is a leaf.
        self.body = self.octets.partition(b'\r\n\r\n')[2]
        self.type = self.mail.get_content_type().lower()
        self.inner = {}
        self.content = b''
        if self.type == 'message/cpim':
            head, mime, self.content = (self.body.split(b'\r\n\r\n', 2) + [b'', b''])[:3]
            for line in (head + b'\r\n' + mime).decode().split('\r\n'):
                name, _, value = line.partition(': ')
                self.inner[name.lower()] = value

    def header(self, name):
        return str(self.raw[name]) if name in self.raw else None

    def kind(self):
        declared = (self.mail['Content-Type'].params.get('type') or self.type).lower()
        if self.row['folder'] in ('INBOX', 'Sent'):
            return 'mail'
        if 'x-cpm-session' in declared:
            return 'session info'
        if 'x-cpm-file-transfer' in declared:
            return 'file transfer'
        if self.type == 'application/group-state-object+xml':
            return 'group state'
        if self.type == 'message/cpim':
            if self.header('Message-Context'):
                return 'legacy'
            return 'imdn' if self.inner.get('content-type', '').startswith('message/imdn+xml') else 'chat'
        return 'standalone' if self.type.startswith(('text/', 'multipart/')) else 'media'

    def parts(self):
        return [p for p in self.mail.walk() if not p.is_multipart()] if self.type != 'message/cpim' else []

    def text(self):
        if self.type == 'message/cpim':
            return self.content.decode('utf-8')
        return ' '.join(p.get_content() for p in self.parts() if p.get_content_maintype() == 'text')


def check_form(thing):
    octets = thing.octets
    need(octets.count(b'\n') == octets.count(b'\r\n') == octets.count(b'\r'), 'a line end is not CRLF')
    need(b'\0' not in octets, 'holds a NUL octet')
    need(all(len(line) <= 998 for line in octets.split(b'\r\n')), 'a line is over 998 octets')
    need(octets.partition(b'\r\n\r\n')[0].isascii(), 'a header is not ASCII')
    if thing.type != 'message/cpim':
        defects = [d for part in thing.mail.walk() for d in part.defects]
        need(not defects, f'MIME defects: {defects}')
    declared_8bit = b'8bit' in octets
    need(octets.isascii() or declared_8bit or b'charset=utf-8' in octets.lower(), '8-bit octets that nobody declares')


def check_headers(thing):
    for name in REQUIRED[thing.kind()]:
        need(thing.header(name), f'{thing.kind()} lacks {name}')
    date = email.utils.parsedate_to_datetime(thing.header('Date'))
    need(thing.row['internal_date'] == date.strftime('%d-%b-%Y %H:%M:%S %z'), 'internal date is not the Date')
    if thing.header('Message-Direction'):
        sent = OWNER in thing.header('From')
        need(thing.header('Message-Direction') == ('sent' if sent else 'received'), 'direction disagrees with From')


def check_cpim(thing):
    if thing.type != 'message/cpim':
        return
    need(thing.inner.get('content-length') == str(len(thing.content)), 'Content-Length is not the length')
    need(thing.inner.get('imdn.message-id') == thing.header('IMDN-Message-ID'), 'two values of IMDN-Message-ID')
    thing.content.decode('utf-8')


def check_pictures(thing):
    for part in thing.parts():
        if part.get_content_type() == 'image/jpeg':
            picture = part.get_content()
            need(picture[:2] == b'\xff\xd8' and picture[-2:] == b'\xff\xd9' and b'JFIF' in picture[:32], 'not a JPEG')
            need(len(picture) <= 20480, 'the picture is over 20 KiB')
            size = re.search(rb'file-selector:\S+ type:image/jpeg size:(\d+)', thing.octets)
            need(not size or int(size.group(1)) == len(picture), 'the file selector states another size')


def check_xml(thing):
    kind, name = thing.kind(), thing.row['folder'].rsplit('/', 1)[-1]
    if kind == 'group state':
        root = xml.fromstring(thing.body)
        need(root.tag == 'groupstate' and root.get('lastfocussessionid') and root.findall('participant'), 'group state')
    elif kind == 'session info' and thing.type == 'application/x-cpm-session':
        need(xml.fromstring(thing.body).findtext('invited-participants'), 'session without participants')
    elif kind == 'imdn':
        need(xml.fromstring(thing.content).tag.endswith('}imdn'), 'not an imdn document')
    elif thing.inner.get('content-type', '').endswith('+xml'):
        need(xml.fromstring(thing.content).tag.endswith('}file'), f'not a file document in {name}')


def check_folder(thing):
    path = thing.row['folder'].split('/')
    if thing.kind() in ('mail', 'media'):
        return
    if path[-1].startswith(('tel:', 'sip:')):
        addresses = (thing.header('From') + ' ' + thing.header('To'))
        need(path[-1] in addresses, 'neither From nor To is the folder\'s other party')
    elif len(path) == 3:
        need(path[1] == thing.header('Conversation-ID'), 'group folder is not named by the Conversation-ID')
        need(path[2] == thing.header('Contribution-ID'), 'session folder is not named by the Contribution-ID')
    else:
        need(path[1] == thing.header('Conversation-ID'), 'group folder is not named by the Conversation-ID')
    if thing.kind() == 'group state':
        need(len(path) == 3, 'a group state outside of a session folder')


def check_set(things):
    for name in ('Message-ID', 'IMDN-Message-ID'):
        values = [t.header(name) for t in things if t.header(name)]
        need(len(values) == len(set(values)), f'{name} is not unique')
    files = sorted(os.listdir(os.path.join(HERE, 'objects')))
    need(files == sorted(os.path.basename(t.row['file']) for t in things), 'manifest and folder differ')
    for thing in things:
        if thing.kind() == 'imdn':
            reference = next(e.text for e in xml.fromstring(thing.content) if e.tag.endswith('message-id'))
            need(any(t.header('IMDN-Message-ID') == reference and t.row['folder'] == thing.row['folder'] for t in things),
                 f'{thing.row["file"]} refers to a message that is not in its folder')
    kinds = {t.kind() for t in things}
    need(kinds == set(REQUIRED), f'kinds missing: {set(REQUIRED) - kinds}')
    years = {int(t.row['internal_date'][7:11]) for t in things}
    need(min(years) == 2014 and max(years) == 2026, f'years {sorted(years)}')
    text = ' '.join(t.text() for t in things)
    for script, letters in SCRIPTS.items():
        need(re.search(f'[{letters}]', text), f'no {script}')
    need({t.type for t in things if t.kind() == 'session info'} == {'multipart/related', 'application/x-cpm-session'},
         'both session info layouts are wanted')
    need(sum(t.kind() == 'group state' for t in things) >= 2, 'fewer than two group states')


def main():
    with open(os.path.join(HERE, 'manifest.jsonl'), encoding='utf-8') as rows:
        things = [Object(json.loads(row)) for row in rows]
    bad = 0
    for thing in things:
        try:
            for check in (check_form, check_headers, check_cpim, check_pictures, check_xml, check_folder):
                check(thing)
            print(f'PASS {thing.row["file"]} ({thing.kind()})')
        except (Bad, UnicodeError, xml.ParseError) as error:
            bad += 1
            print(f'FAIL {thing.row["file"]}: {error}')
    try:
        check_set(things)
        print(f'PASS the set of {len(things)} objects')
    except Bad as error:
        bad += 1
        print(f'FAIL the set: {error}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
