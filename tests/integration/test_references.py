#!/usr/bin/env python3
"""The reference service: stored data by reference, over HTTP and IMAP, with a Participating Function of our own."""

import base64
import email
import email.policy
import email.utils
import hashlib
import http.client
import json
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import threading
import urllib.parse

import authority
import cmsd_fixture as fixture
import imap_wire as wire
from pf import SEEN, Caller, Pf, urlfetch

PF = 'sip:pf@example.com'
PF_PASSWORD = 'pf-password'
STRANGER = 'sip:other-pf@example.net'
SUBMIT = 'sip:submit@example.com'

PHOTO = bytes(range(256)) * 400
CHAT = '"Default/tel:+15550100222"'
FOLDER = 'Default/tel:+15550100222'
CPIM_HEADER = (b'From: <tel:+15550100222>\r\nTo: <tel:+15550100001>\r\nNS: imdn <urn:ietf:params:imdn>\r\n'
               b'imdn.Message-ID: x1\r\n\r\n')


def with_photo(photo=PHOTO, name='photo.jpg', kind='image/jpeg', text='Look at this.'):
    lines = base64.encodebytes(photo).replace(b'\n', b'\r\n')
    return (f'From: tel:+15550100222\r\nTo: tel:+15550100001\r\nDate: Wed, 02 Mar 2016 10:20:00 +0100\r\n'
            f'Subject: Photo\r\nIMDN-Message-ID: {hashlib.sha256(lines + name.encode()).hexdigest()[:12]}\r\n'
            f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="p7"\r\n\r\n'
            f'--p7\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n'
            f'--p7\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <photo@example.net>\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n').encode() + lines + b'--p7--\r\n'


def store(server, account, message=None, folder=CHAT):
    """Client A's message in its store; the UID."""
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.command(f'CREATE {folder}')
        answer = client.append(folder, message or with_photo())
        return int(answer.code('APPENDUID').split()[1])


def expunge(server, account, uid, folder=CHAT):
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'SELECT {folder}')
        client.ok(f'UID STORE {uid} +FLAGS.SILENT (\\Deleted)')
        client.ok(f'UID EXPUNGE {uid}')


def referring(snippets, extra=''):
    """A message that client A sends, with references."""
    parts = ''.join(f'--x1\r\n{one}\r\n' for one in snippets)
    return (f'From: tel:+15550100001\r\nTo: tel:+15550100333\r\nContent-Type: multipart/mixed; boundary="x1"\r\n{extra}\r\n'
            f'--x1\r\nContent-Type: text/plain\r\n\r\nForwarded.\r\n{parts}--x1--\r\n').encode()


def parse(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


def nothing_here(reply):
    assert reply.status == 404, (reply.status, reply.body)
    assert reply.body == NOTHING, reply.body
    assert 'ETag' not in reply.headers and 'Content-Disposition' not in reply.headers, reply.headers


NOTHING = b'{"error":{"code":"not_found","message":"There is nothing to be had here"}}\n'


# What the README's example shows

def a_photo_is_handed_on(server, account):
    """A client stores a photo and refers to it; its PF resolves the message over HTTP and fetches over IMAP."""
    uid = store(server, account)
    [photo] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, hash=True)
    assert photo['content_type'] == 'image/jpeg' and photo['size'] == len(PHOTO) and photo['name'] == 'photo.jpg', photo
    assert photo['sha256'] == hashlib.sha256(PHOTO).hexdigest()
    resolved = server.pf.originate(account.address, referring([photo['external_body']]))
    assert resolved.status == 200, resolved.body
    assert resolved.headers['CPM-Message-Mode'] == 'large' and resolved.headers['CPM-References'] == '1'
    text, image = parse(resolved.body).iter_parts()
    assert text.get_content().strip() == 'Forwarded.' and image.get_content_type() == 'image/jpeg'
    assert image['Content-ID'] == '<photo@example.net>' and image.get_filename() == 'photo.jpg'
    over_imap = server.pf.urlfetch(account.user, photo['imap_url'], 'BINARY')
    over_http = server.pf.fetch(photo['url']).body
    assert image.get_content() == over_imap == over_http == PHOTO


# B.3.1.3 and B.3.1.4 from end to end

def forwarding_without_download(server, account):
    uid = store(server, account)
    first = server.user.refer({'folder': FOLDER, 'uid': uid, 'attachments': True})
    whole = server.user.refer({'folder': FOLDER, 'uid': uid})
    reply = server.pf.originate(account.address, referring([one['external_body'] for one in first + whole]))
    assert reply.status == 200, reply.body
    _, photo, message = parse(reply.body).iter_parts()
    assert photo.get_content() == PHOTO and message.get_content_type() == 'message/rfc822'
    assert message.get_content()['Subject'] == 'Photo'
    # IMAP's own URLs do as well.
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        rump = re.sub(':INTERNAL:.*', '', first[0]['imap_url'])
        url = re.search(rb'"(imap://.*)"', client.ok(f'GENURLAUTH "{rump}" INTERNAL').untagged[0]).group(1).decode()
    snippet = f'Content-Type: message/external-body; access-type="URL"; URL="{url}"\r\n\r\nContent-Type: image/jpeg\r\n\r\n'
    reply = server.pf.originate(account.address, referring([snippet]))
    assert reply.status == 200 and list(parse(reply.body).iter_parts())[1].get_content() == PHOTO
    # What is gone is told, and nothing is sent.
    expunge(server, account, uid)
    reply = server.pf.originate(account.address, referring([photo_['external_body'] for photo_ in first]))
    assert reply.status == 422 and reply.code() == 'references_not_found', reply.body
    [missing] = reply.json()['references']
    assert missing['part'] == '2' and missing['url'] == first[0]['imap_url'], missing


def indirect_delivery(server, account):
    reply = server.pf.terminate(account.address, FOLDER, with_photo())
    assert reply.status == 201, reply.body
    assert reply.headers['Location'].startswith('imap://tel%3A+15550100001@'), reply.headers['Location']
    text, reference = parse(reply.body).iter_parts()
    assert text.get_content().strip() == 'Look at this.'
    assert reference.get_content_type() == 'message/external-body' and reference.get_param('size') == str(len(PHOTO))
    url = reference.get_param('URL')
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        assert urlfetch(client, url, 'BINARY') == PHOTO
        uid = reply.headers['Location'].rsplit('=', 1)[1]
        client.ok(f'SELECT {CHAT}')
        assert wire.literal(wire.fetched(client.ok(f'UID FETCH {uid} BODY.PEEK[]')).popitem()[1]) == with_photo()
    # For the recipient: another user gets nothing by it.
    other = server.add_account(77)
    with wire.Client(server.host, server.port) as client:
        client.login(other.user, other.password)
        assert urlfetch(client, url, 'BINARY') is None
    # And back again: what is put in place is what was taken out.
    back = parse(server.pf.originate(account.address, reply.body).body)
    assert list(back.iter_parts())[1].get_content() == PHOTO
    # Small parts stay.
    reply = server.pf.terminate(account.address, FOLDER, with_photo(b'tiny', name='tiny.jpg'), min_octets=1000)
    assert b'external-body' not in reply.body and reply.headers['CPM-References'] == ''


# Who may do what

def who_may_do_what(server, account):
    uid = store(server, account)
    asked = {'folder': FOLDER, 'uid': uid, 'part': '2'}
    nobody = Caller(server)
    assert nobody.ask('POST', '/v1/references', {'references': [asked]}).status == 401
    assert nobody.ask('POST', '/v1/references', {'x': 1}).status == 401
    assert nobody.ask('GET', '/v1/references').headers['WWW-Authenticate'] == 'Bearer'
    assert Caller(server, token='x.y.z').ask('GET', '/v1/references').status == 401
    # A user of no role for others, and a PF outside of what it may act for.
    other = server.add_account(78)
    refused = server.caller(other.address).ask('POST', '/v1/references', {'account': account.address, 'references': [asked]})
    assert refused.status == 403, refused.body
    unknown = server.caller(other.address).ask('POST', '/v1/references', {'account': 'tel:+4999', 'references': [asked]})
    assert (unknown.status, unknown.body) == (refused.status, refused.body)
    assert server.pf.ask('POST', '/v1/references', {'account': PF, 'references': [asked]}).status == 404
    # A client certificate without the role, and one without an account.
    plain = Caller(server, server.authority.issue('user-cert', [account.address]))
    [own] = plain.refer(asked)
    assert plain.ask('GET', f'/v1/references?account={urllib.parse.quote(other.address)}').status == 403
    assert Caller(server, server.authority.issue('nobody', ['sip:nobody@example.com'])).ask('GET', '/v1/references').status == 401
    # "submit" is for the PF that acts for the owner and for submission; not for others, not for the owner's friends.
    assert server.pf.fetch(own['url']).body == PHOTO
    assert server.submit.fetch(own['url']).body == PHOTO
    nothing_here(server.caller(other.address).fetch(own['url']))
    assert nobody.fetch(own['url']).status == 401
    assert server.submit.ask('POST', '/v1/references', {'references': [asked]}).status == 403
    # For a user, and for a PF that may act for them.
    [friend] = server.user.refer(asked, audience=other.address)
    assert server.caller(other.address).fetch(friend['url']).body == PHOTO
    assert server.pf.fetch(friend['url']).body == PHOTO
    nothing_here(server.submit.fetch(friend['url']))
    [for_pf] = server.user.refer(asked, audience=PF)
    assert server.pf.fetch(for_pf['url']).body == PHOTO
    nothing_here(server.caller(other.address).fetch(for_pf['url']))
    # For anyone: only if the configuration says so.
    assert server.user.ask('POST', '/v1/references', {'references': [asked], 'audience': 'anyone'}).status == 403


def strangers_are_told_before_they_send(server, _account):
    """A wrong token costs its owner an answer, and us no memory: the body is not waited for."""
    for target in ('/v1/references', '/v1/messages/resolve', '/v1/messages/externalize?folder=INBOX'):
        head = f'POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x.y.z\r\nContent-Length: 1000000\r\n\r\n'
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection((server.host, server.references_port), timeout=60)) as stream:
            stream.sendall(head.encode())
            assert stream.recv(100).startswith(b'HTTP/1.1 401'), target


def rights_are_asked_at_the_fetch(server, account):
    """RFC 4314 §2.1: an owner who may not read the folder refers to nothing in it, neither before nor after."""
    folder = '"Default/tel:+15550100223"'
    uid = store(server, account, folder=folder)
    asked = {'folder': folder.strip('"'), 'uid': uid, 'part': '2'}
    [one] = server.user.refer(asked, url='https')
    [other] = server.user.refer(asked)
    assert server.pf.fetch(one['url']).body == PHOTO
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'SETACL {folder} {account.user} lswi')
        nothing_here(server.pf.fetch(one['url']))
        assert server.pf.fetch(one['url'], 'HEAD').status == 404
        for snippet in (one, other):
            assert server.pf.originate(account.address, referring([snippet['external_body']])).status == 422
        assert server.user.ask('POST', '/v1/references', {'references': [asked]}).status == 403
        client.ok(f'DELETEACL {folder} {account.user}')
    assert server.pf.fetch(one['url']).body == PHOTO
    assert server.pf.originate(account.address, referring([one['external_body'], other['external_body']])).status == 200


def life_of_a_reference(server, account):
    uid = store(server, account)
    asked = {'folder': FOLDER, 'uid': uid, 'part': '2'}
    [one] = server.pf.refer(asked, account=account.address)
    before = server.pf.ask('GET', '/v1/references?limit=1000&account=' + urllib.parse.quote(account.address)).json()
    assert [r for r in before['references'] if r['id'] == one['id']][0]['fetches'] == 0
    assert all(r['issuer'] == PF for r in before['references']), 'an issuer sees what it issued'
    for _ in range(3):
        assert server.pf.fetch(one['url']).status == 200
    assert server.pf.fetch(one['url'], 'HEAD').status == 200
    assert server.pf.urlfetch(account.user, one['imap_url']) is not None
    seen = server.user.ask('GET', '/v1/references?limit=1000').json()['references']
    assert [r for r in seen if r['id'] == one['id']][0]['fetches'] == 4, seen
    # Revoked: gone for its issuer, nothing for others, and NIL over IMAP.
    path = urllib.parse.urlsplit(one['url']).path
    nothing_here(server.submit.ask('DELETE', path))
    assert server.pf.ask('DELETE', path).status == 200
    gone = server.pf.fetch(one['url'])
    assert gone.status == 410 and 'revoked' in gone.json()['error']['message'], gone.body
    nothing_here(server.submit.fetch(one['url']))
    assert server.pf.urlfetch(account.user, one['imap_url']) is None
    # One time is once, over either URL.
    [once] = server.pf.refer(asked, account=account.address, one_time=True)
    assert server.pf.fetch(once['url'], 'HEAD').status == 200
    assert server.pf.urlfetch(account.user, once['imap_url'], 'BINARY') == PHOTO
    assert server.pf.fetch(once['url']).status == 410
    nothing_here(server.submit.fetch(once['url']))
    assert server.pf.urlfetch(account.user, once['imap_url']) is None
    # What comes to nothing does not use it up; a message that holds it twice uses it once.
    [mine] = server.pf.refer(asked, account=account.address, one_time=True, audience=account.address)
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        url = mine['imap_url']
        assert b'BODYPARTSTRUCTURE' in client.ok(f'URLFETCH ("{url}" BODYPARTSTRUCTURE)').untagged[0]
        failed = client.command(f'APPEND INBOX CATENATE (URL "{url}" URL "/nowhere/;UID=1")')
        assert failed.status == 'NO' and failed.code('BADURL'), failed.tagged
        assert client.command(f'APPEND INBOX CATENATE (URL "{url}" URL "{url}")').status == 'OK'
        again = client.command(f'APPEND INBOX CATENATE (URL "{url}")')
        assert again.status == 'NO' and again.code('BADURL'), again.tagged
    # By id its owner revokes what others issued.
    [third] = server.pf.refer(asked, account=account.address)
    assert server.user.ask('DELETE', f'/v1/references/{third["id"]}').status == 200
    assert server.pf.fetch(third['url']).status == 410
    # With the mailbox's key all go.
    [fourth] = server.pf.refer(asked, account=account.address)
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'RESETKEY {CHAT}')
    nothing_here(server.pf.fetch(fourth['url']))
    assert server.pf.urlfetch(account.user, fourth['imap_url']) is None
    # And with the message.
    [fifth] = server.pf.refer(asked, account=account.address)
    expunge(server, account, uid)
    nothing_here(server.pf.fetch(fifth['url']))
    listed = server.user.ask('GET', '/v1/references?limit=1000').json()['references']
    assert not [r for r in listed if r['uid'] == uid], listed


def expired_is_over(server, account):
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid}, account=account.address, expires=server.now() + 2)
    while server.pf.fetch(one['url']).status == 200:
        pass  # its time comes
    assert server.pf.fetch(one['url']).status == 410
    nothing_here(server.submit.fetch(one['url']))
    for bad in (1, server.now() - 5, server.now() + 10**9):
        reply = server.user.ask('POST', '/v1/references', {'references': [{'folder': FOLDER, 'uid': uid}], 'expires': bad})
        assert reply.status == 400 and 'expires' in reply.json()['error']['message'], reply.body


def what_a_reference_names(server, account):
    message = with_photo(name='named.jpg')
    uid = store(server, account, message)
    imdn = parse(message)['IMDN-Message-ID']
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'SELECT {CHAT}')
        line = client.ok(f'UID FETCH {uid} (EMAILID)').untagged[0]
    object_id = re.search(rb'EMAILID \((M\d+)\)', line).group(1).decode()
    by = [{'folder': FOLDER, 'uid': uid}, {'object_id': object_id}, {'imdn_message_id': imdn},
          {'folder': FOLDER, 'object_id': object_id}]
    for one in server.user.refer(*by):
        assert server.pf.fetch(one['url']).body == message and one['content_type'] == 'message/rfc822'
    [piece] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2', 'offset': 10, 'length': 20})
    assert server.pf.fetch(piece['url']).body == PHOTO[10:30] and piece['size'] == 20
    assert server.pf.urlfetch(account.user, piece['imap_url'], 'BINARY') == PHOTO[10:30]
    [stored] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    encoded = server.pf.fetch(stored['url'], query='?encoding=stored')
    assert base64.b64decode(encoded.body) == PHOTO and encoded.headers['Content-Type'] == 'application/octet-stream'
    [header] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': 'HEADER'})
    assert server.pf.fetch(header['url']).body.endswith(b'\r\n\r\n')
    for bad, why in (({'folder': FOLDER, 'uid': uid, 'part': '9'}, 404), ({'folder': FOLDER, 'uid': 9999}, 404),
                     ({'folder': 'No/such', 'uid': 1}, 404), ({'object_id': 'M999999'}, 404), ({'object_id': 'x'}, 400),
                     ({'imdn_message_id': 'no-such'}, 404), ({'folder': FOLDER}, 400), ({'uid': 1}, 400), ({}, 400),
                     ({'folder': FOLDER, 'uid': uid, 'part': '2; x'}, 400), ({'folder': '../../etc', 'uid': 1}, 404),
                     ({'folder': FOLDER, 'uid': uid, 'colour': 'red'}, 400), ({'folder': FOLDER, 'uid': -1}, 400),
                     ({'folder': FOLDER, 'uid': uid, 'uidvalidity': 1}, 404)):
        reply = server.user.ask('POST', '/v1/references', {'references': [by[0], bad]})
        assert reply.status == why and 'references[1]' in reply.json()['error']['message'], (bad, reply.status, reply.body)
    assert server.user.ask('POST', '/v1/references', {'references': [by[0]] * 101}).status == 400
    assert len(server.user.refer(*[by[0]] * 100)) == 100


def ranges_and_conditions(server, account):
    uid = store(server, account)
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    whole = server.pf.fetch(one['url'])
    assert whole.headers['Content-Length'] == str(len(PHOTO)) and whole.headers['Accept-Ranges'] == 'bytes'
    assert whole.headers['X-Content-Type-Options'] == 'nosniff'
    etag = whole.headers['ETag']
    for asked, got in (('bytes=0-9', PHOTO[:10]), ('bytes=100-', PHOTO[100:]), ('bytes=-5', PHOTO[-5:]),
                       (f'bytes={len(PHOTO) - 1}-99999999999999999999999', PHOTO[-1:]), ('bytes=300-70000', PHOTO[300:70001])):
        part = server.pf.fetch(one['url'], Range=asked)
        assert part.status == 206 and part.body == got, (asked, part.status, len(part.body))
        assert part.headers['Content-Range'].endswith(f'/{len(PHOTO)}')
    many = 'bytes=' + ','.join(f'{n}-{n}' for n in range(1500))
    for ignored in (many, 'bytes=5-1', 'bytes=x-y', 'bytes=', 'bytes=--1', 'lines=1-2', 'bytes=1-2,4-5'):
        assert server.pf.fetch(one['url'], Range=ignored).status == 200, ignored[:50]
    far = server.pf.fetch(one['url'], Range=f'bytes={len(PHOTO)}-')
    assert far.status == 416 and far.headers['Content-Range'] == f'bytes */{len(PHOTO)}'
    assert server.pf.fetch(one['url'], If_None_Match=etag).status == 304
    assert server.pf.fetch(one['url'], If_None_Match='"x"').status == 200
    assert server.pf.fetch(one['url'], Range='bytes=0-1', If_Range=etag).status == 206
    assert server.pf.fetch(one['url'], Range='bytes=0-1', If_Range='"x"').status == 200
    head = server.pf.fetch(one['url'], 'HEAD')
    assert head.status == 200 and head.body == b'' and head.headers['Content-Length'] == str(len(PHOTO))
    assert head.headers['ETag'] == etag
    # Ten thousand ranges do not fit a header.
    bound = server.pf.fetch(one['url'], Range='bytes=' + ','.join(f'{n}-{n}' for n in range(10000)))
    assert bound.status == 400, bound.status


# Bad input

def tokens_are_right_to_the_letter(server, account):
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address)
    base, token = one['url'].rsplit('/', 1)
    assert server.pf.fetch(one['url']).status == 200
    bad = [token.upper(), token[:-1], token + '0', token[1:], '0' * len(token), token[:2] + '0' * 16 + token[18:],
           token[:-1] + ('0' if token[-1] != '0' else '1'), token[::-1], 'x', '1', '%00', '..%2f..%2fetc%2fpasswd', token + '%20']
    for i in range(0, len(token), 7):
        changed = '1' if token[i] != '1' else '2'
        bad.append(token[:i] + changed + token[i + 1:])
    for wrong in bad:
        reply = server.pf.fetch(f'{base}/{wrong}')
        nothing_here(reply)
    for path in ('/v1/../v1/references/' + token, '/etc/passwd', '/', '//', '/v1/accounts', '/health', '/metrics'):
        nothing_here(server.pf.ask('GET', path))
    assert server.pf.ask('PUT', '/v1/references/' + token).status == 405


def names_of_files_are_harmless(server, account):
    for given in ('../../etc/passwd', 'a\\b.jpg', 'x"; filename="y.exe', 'CR=?utf-8?Q?=0D=0ASet-Cookie:_x=3D1?=', '=?utf-8?Q?=E2=82=AC.jpg?=',
                  '..', 'x' * 400, '=?utf-8?Q?a=00b?='):
        uid = store(server, account, with_photo(b'x', name=given.replace('"', '\\"')))
        [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
        got = server.pf.fetch(one['url'])
        said = got.headers['Content-Disposition']
        assert got.status == 200 and 'Set-Cookie' not in got.headers, got.headers
        assert said.startswith('attachment'), said
        assert '/' not in said and '\\' not in said and '%2F' not in said and '%0D' not in said and '%00' not in said, said
        assert said.count('"') in (0, 2) and len(said) < 1200, said
        snippet = server.pf.originate(account.address, referring([one['external_body']]))
        assert snippet.status == 200 and 'Set-Cookie' not in parse(snippet.body), snippet.body
    for kind in ('image/jpeg\r\n X-Evil: 1', 'no type', 'text/html; charset="\x01"', 'image/' + 'x' * 900):
        uid = store(server, account, with_photo(b'x', kind=kind))
        [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
        got = server.pf.fetch(one['url'])
        assert got.status == 200 and 'X-Evil' not in got.headers, got.headers


def references_are_resolved_once(server, account):
    """What comes in may refer to something, to itself even: it is data, and stays as it is."""
    uid = store(server, account)
    [photo] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    inner = referring([photo['external_body']])
    [outer] = server.user.refer({'folder': FOLDER, 'uid': store(server, account, inner)})
    reply = server.pf.originate(account.address, referring([outer['external_body']]).replace(b'x1', b'y2'))
    assert reply.status == 200, reply.body
    message = list(parse(reply.body).iter_parts())[1]
    assert message.get_content_type() == 'message/rfc822'
    assert photo['imap_url'] in reply.body.decode(), 'the reference within is left alone'
    # A message whose boundary is the one around it cannot stand there as it is.
    twin = b'Content-Type: multipart/mixed; boundary="x1"\r\n\r\n--x1\r\n\r\nx\r\n--x1--\r\n'
    [trap] = server.user.refer({'folder': FOLDER, 'uid': store(server, account, twin)})
    reply = server.pf.originate(account.address, referring([trap['external_body']]))
    assert reply.status == 422 and 'boundary' in reply.json()['references'][0]['why'], reply.body


def messages_to_resolve(server, account):
    uid = store(server, account, with_photo(b'Hello, world.\r\n', name='t.txt', kind='text/plain'))
    [text] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, url='https')
    assert text['external_body'].count('https://') == 1
    cpim = (b'From: <tel:+15550100001>\r\nTo: <tel:+15550100333>\r\nNS: imdn <urn:ietf:params:imdn>\r\n'
            b'imdn.Message-ID: x1\r\n\r\n')
    body = text['external_body'].encode()
    length = len(body.split(b'\r\n\r\n', 1)[1])
    alone = cpim + body.replace(b'\r\n\r\n', b'\r\nContent-Length: %d\r\n\r\n' % length, 1)
    reply = server.pf.originate(account.address, alone, 'message/cpim')
    assert reply.status == 200 and reply.headers['CPM-Message-Mode'] == 'pager', reply.body
    assert reply.headers['Content-Type'] == 'message/cpim' and reply.body.startswith(cpim)
    entity = parse(reply.body[len(cpim):])
    assert entity.get_content_type() == 'text/plain' and entity.get_content() == 'Hello, world.\r\n', reply.body
    assert entity['Content-Length'] == '15', reply.body
    within = referring([text['external_body']]).split(b'\r\n', 2)[2]
    reply = server.pf.originate(account.address, cpim + within, 'message/cpim')
    assert reply.status == 200 and b'Hello, world.' in reply.body, reply.body
    wrapped = b'From: x\r\nContent-Type: message/cpim\r\n\r\n' + alone
    reply = server.pf.originate(account.address, wrapped)
    assert reply.status == 200 and b'Hello, world.' in reply.body, reply.body
    # Nothing of ours: as it came.
    plain = b'Content-Type: message/external-body; access-type=URL; URL="https://example.org/x"\r\n\r\nContent-Type: text/plain\r\n\r\n'
    for message in (referring([]), plain, b'', b'x', b'\r\n\r\n', referring([plain.decode()])):
        reply = server.pf.originate(account.address, message)
        assert reply.status == 200 and reply.body == message and reply.headers['CPM-References'] == '0', reply.body
    assert server.pf.originate(account.address, b'{}', 'application/json').status == 415
    assert server.pf.originate(account.address, b'x' * (1 << 20) + b'x').status == 413
    many = referring([text['external_body']] * 101)
    assert server.pf.originate(account.address, many).status == 400
    # The result has a limit as well.
    big = store(server, account, with_photo(os.urandom(900_000), name='big.bin'))
    [one] = server.user.refer({'folder': FOLDER, 'uid': big, 'part': '2'})
    assert server.pf.originate(account.address, referring([one['external_body']])).status == 413
    # Of several all or none: the one time is not used up by a message that is not sent.
    [once] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, one_time=True)
    wrong = text['external_body'][:-60].replace('03', '04')
    broken = once['external_body'].replace(':INTERNAL:02', ':INTERNAL:01')
    assert server.pf.originate(account.address, referring([once['external_body'], broken])).status == 422, wrong
    # Twice in one message, by either URL, it is one fetch.
    twice = [once['external_body'], once['external_body'].replace(once['imap_url'], once['url'])]
    reply = server.pf.originate(account.address, referring(twice))
    assert reply.status == 200 and reply.body.count(b'Hello, world.') == 2, reply.body
    assert server.pf.originate(account.address, referring([once['external_body']])).status == 422
    listed = server.user.ask('GET', '/v1/references?limit=1000').json()['references']
    assert [r['fetches'] for r in listed if r['id'] == once['id']] == [1]
    # Of two messages with one reference in common one gets it, and the other costs its own nothing.
    shared, own = server.user.refer(*[{'folder': FOLDER, 'uid': uid, 'part': '2'}] * 2, one_time=True)
    assert server.pf.fetch(shared['url']).status == 200
    assert server.pf.originate(account.address, referring([own['external_body'], shared['external_body']])).status == 422
    assert server.pf.originate(account.address, referring([own['external_body']])).status == 200
    assert server.submit.ask('POST', '/v1/messages/resolve', referring([text['external_body']]),
                             {'Content-Type': 'message/rfc822'}).status == 200
    other = server.caller(server.add_account(79).address)
    assert other.ask('POST', '/v1/messages/resolve', referring([text['external_body']]),
                     {'Content-Type': 'message/rfc822'}).status == 422


def messages_to_externalize(server, account):
    ask = lambda query, body=b'x', kind='message/rfc822': server.pf.ask(
        'POST', '/v1/messages/externalize?' + query, body, {'Content-Type': kind})
    who = 'account=' + urllib.parse.quote(account.address)
    place = who + '&folder=' + urllib.parse.quote(FOLDER)
    assert ask(who).status == 400
    assert ask(place, kind='message/cpim').status == 415
    for bad in ('&parts=x', '&parts=1,', '&parts=HEADER', '&expires=yesterday', '&audience=%20', '&min_octets=-1'):
        assert ask(place + bad).status == 400, bad
    assert ask(who + '&folder=No/such/folder').status in (403, 404)
    gone = ask(place + '&parts=7')
    assert gone.status == 404 and gone.headers['Location'], 'it is stored, and that is told'
    alone = b'Subject: s\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n'
    reply = ask(place + '&hash=true&url=https', alone)
    assert reply.status == 201 and b'Subject: s\r\n' in reply.body and b'image/png' in reply.body, reply.body
    said = parse(reply.body)
    assert said.get_param('URL').startswith('https://') and said.get_param('size') == '3', reply.body
    assert said.get_param('hash') == hashlib.sha1(b'\0\0\0').hexdigest(), reply.body
    until = email.utils.parsedate_to_datetime(said.get_param('expiration')).timestamp()
    assert 0 <= server.now() + 604800 - until < 60, said.get_param('expiration')
    # RFC 2046 §5.2.3: with a Content-ID, though the part has none.
    assert re.search(rb'\r\nContent-ID: <M\d+\.1@[^ >]+>\r\n', reply.body), reply.body
    assert parse(reply.body).get_content_type() == 'message/external-body'
    resolved = server.pf.originate(account.address, reply.body)
    assert parse(resolved.body).get_content() == b'\0\0\0' and parse(resolved.body)['Subject'] == 's', resolved.body
    # What a CPIM says is no attachment of it; one that has an encoding has no octets to refer to.
    cpim = lambda content, more=b'': b'Subject: s\r\nContent-Type: message/cpim\r\n' + more + b'\r\n' + content
    for kind in (b'text/plain', b'application/vnd.gsma.rcs-ft-http+xml'):
        text = ask(place, cpim(CPIM_HEADER + b'Content-Type: ' + kind + b'\r\n\r\nhello'))
        assert text.status == 201 and text.headers['CPM-References'] == '' and text.body.endswith(b'hello'), text.body
    photo = CPIM_HEADER + b'Content-Type: image/png\r\n\r\nnot really'
    encoded = ask(place, cpim(base64.encodebytes(photo), b'Content-Transfer-Encoding: base64\r\n'))
    assert encoded.status == 403 and encoded.headers['Location'] and b'Content-Transfer-Encoding' in encoded.body, encoded.body
    broken = ask(place, cpim(photo.replace(b'image/png', b'image/png\r\nContent-Length: 99')))
    assert broken.status == 403 and b'malformed' in broken.body, broken.body
    whole = ask(place + '&parts=1', cpim(photo))
    assert whole.status == 201 and b'message/cpim' in whole.body and b'PARTIAL' not in whole.body, whole.body
    chosen = ask(place + '&parts=1', with_photo())
    assert chosen.body.count(b'external-body') == 1 and b'Look at this' not in chosen.body


def attachments_within_a_cpim(server, account):
    """IMAP has no numbers for them: what names one is an extent of the CPIM, over HTTP and IMAP alike."""
    store(server, account)  # so that there is a folder
    noise = bytes(range(1, 256)) * 40
    lines = base64.encodebytes(PHOTO).replace(b'\n', b'\r\n').rstrip()
    parts = (b'--m8\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nLook at this.\r\n'
             b'--m8\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <photo@example.net>\r\n'
             b'Content-Disposition: attachment; filename="photo.jpg"\r\n\r\n' + lines + b'\r\n'
             b'--m8\r\nContent-Type: audio/x-noise; name=noise.bin\r\nContent-Transfer-Encoding: binary\r\n\r\n' + noise +
             b'\r\n--m8--\r\n')
    body = (CPIM_HEADER + b'Content-Type: multipart/mixed; boundary=m8\r\nContent-Length: %d\r\n\r\n' % len(parts)) + parts
    message = (b'From: tel:+15550100222\r\nTo: tel:+15550100001\r\nSubject: Photo\r\nIMDN-Message-ID: within\r\n'
               b'Content-Type: message/cpim\r\n\r\n') + body
    reply = server.pf.terminate(account.address, FOLDER, message, hash='true', audience='submit')
    assert reply.status == 201, reply.body
    ids = [int(one) for one in reply.headers['CPM-References'].split(',')]
    assert len(ids) == 2 and len(reply.body) < 4000 and b'PARTIAL=' in reply.body, reply.body
    # What goes on is a CPIM as it was, and its length is right.
    outer, cpim, entity = reply.body.partition(CPIM_HEADER)
    assert outer == message[:len(outer)] and cpim
    header, _, content = entity.partition(b'\r\n\r\n')
    assert b'Content-Length: %d' % len(content) in header, (header, len(content))
    said = list(parse(entity).iter_parts())
    assert [one.get_content_type() for one in said] == ['text/plain', 'message/external-body', 'message/external-body']
    uid = int(re.search(r';UID=(\d+)', reply.headers['Location']).group(1))
    [again] = [r for r in server.user.ask('GET', '/v1/references?limit=1000').json()['references'] if r['id'] == ids[0]]
    assert (again['part'], again['offset'], again['length']) == ('1', body.index(lines), len(lines)), again
    # Referred to by whoever has it in the store, to have both URLs.
    photo, sound = server.user.refer({'folder': FOLDER, 'uid': uid, 'attachments': True}, hash=True)
    for one, data, kind, name, stored in ((photo, PHOTO, 'image/jpeg', 'photo.jpg', lines),
                                          (sound, noise, 'audio/x-noise; name=noise.bin', 'noise.bin', noise)):
        assert (one['content_type'], one['size'], one['name']) == (kind, len(data), name), one
        assert one['sha256'] == hashlib.sha256(data).hexdigest(), one
        got, head = server.pf.fetch(one['url']), server.pf.fetch(one['url'], 'HEAD')
        assert got.status == head.status == 200 and got.body == data and head.body == b''
        for headers in (got.headers, head.headers):
            assert headers['Content-Type'] == kind and name in headers['Content-Disposition'], headers
            assert headers['Content-Length'] == str(len(data)), headers
        assert server.pf.fetch(one['url'], Range='bytes=100-199').body == data[100:200]
        as_stored = server.pf.fetch(one['url'], query='?encoding=stored')
        assert as_stored.body == stored and as_stored.headers['Content-Type'] == 'application/octet-stream'
        assert server.pf.urlfetch(account.user, one['imap_url']) == stored
        assert server.pf.urlfetch(account.user, one['imap_url'], 'BINARY') == data
        assert server.run_admin('reference', 'show', account.address, str(one['id'])).returncode == 0
    with wire.Client(server.host, server.tls_port, tls=True) as client:
        client.login_for(account.user, PF, PF_PASSWORD)
        both = client.ok('URLFETCH ' + ' '.join(f'("{one["imap_url"]}" BINARY BODYPARTSTRUCTURE)' for one in (photo, sound) * 2))
        [answer] = both.all(rb'\* URLFETCH ')
        for data, kind in ((PHOTO, b'"image" "jpeg"'), (noise, b'"audio" "x-noise"')):
            # A command may name a part again: what is known of it is not what is known of the other.
            assert answer.string.count(b'{%d}\r\n%b' % (len(data), data)) == 2 and answer.string.lower().count(kind) == 2, kind
    # By either URL the message is put together again: the same parts with the same octets.
    by_https = server.pf.terminate(account.address, FOLDER, message, url='https')
    for one in (reply, by_https):
        for sent, kind, skip in ((one.body, 'message/rfc822', 0), (one.body[one.body.index(CPIM_HEADER):], 'message/cpim', len(outer))):
            resolved = server.pf.originate(account.address, sent, kind)
            assert resolved.status == 200 and resolved.headers['CPM-References'] == '2', resolved.body
            assert resolved.body.startswith(message[skip:message.index(b'\r\nContent-Type: multipart')])
            header, _, content = resolved.body.partition(CPIM_HEADER)[2].partition(b'\r\n\r\n')
            assert b'Content-Length: %d' % len(content) in header, header
            text, image, audio = parse(resolved.body.partition(CPIM_HEADER)[2]).iter_parts()
            assert text.get_content().strip() == 'Look at this.'
            assert image.get_content() == PHOTO and image.get_content_type() == 'image/jpeg' and image.get_filename() == 'photo.jpg'
            assert audio.get_content() == noise and audio.get_content_type() == 'audio/x-noise' and image['Content-ID'] == '<photo@example.net>'
    # Those that are small stay.
    large = server.pf.terminate(account.address, FOLDER, message, min_octets=len(noise) + 1)
    assert large.body.count(b'message/external-body') == 1 and noise in large.body
    # With NUL IMAP serves base64, and says so; the data are what they were.
    odd = message.replace(noise, noise[1:] + b'\0')
    reply = server.pf.terminate(account.address, FOLDER, odd)
    uid = int(re.search(r';UID=(\d+)', reply.headers['Location']).group(1))
    photo, sound = server.user.refer({'folder': FOLDER, 'uid': uid, 'attachments': True})
    assert server.pf.fetch(sound['url']).body == server.pf.urlfetch(account.user, sound['imap_url'], 'BINARY') == noise[1:] + b'\0'
    assert base64.b64decode(server.pf.urlfetch(account.user, sound['imap_url'])) == noise[1:] + b'\0'
    assert server.pf.urlfetch(account.user, photo['imap_url']) == lines
    # They end with their message.
    expunge(server, account, uid)
    nothing_here(server.pf.fetch(photo['url']))


def raw(server, octets, certificate):
    """What the server says to octets as they are, until it closes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    with context.wrap_socket(socket.create_connection((server.host, server.references_port), timeout=60)) as stream:
        try:
            stream.sendall(octets)
        except OSError:
            pass
        got = b''
        try:
            while more := stream.recv(1 << 16):
                got += more
        except OSError:
            pass
        return got


def ambiguous_requests(server, account):
    """What two readers could take for different requests is none (RFC 9112 §11.2)."""
    smuggled = b'GET /v1/openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n'
    post = b'POST /v1/references HTTP/1.1\r\nHost: x\r\n'
    for head in (b'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', b'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
                 b'Content-Length: 4\r\nContent-Length: 5\r\n', b'Content-Length: 4\r\nContent-Length: 4\r\n',
                 b'Content-Length: +4\r\n', b'Content-Length: 4 4\r\n', b'Content-Length: -1\r\n', b'Content-Length: 0x4\r\n',
                 b'Transfer-Encoding: xchunked\r\n', b'Transfer-Encoding: identity\r\n', b'Transfer-Encoding: chunked, identity\r\n',
                 b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', b'Transfer-Encoding : chunked\r\n',
                 b'Content-Length: 18446744073709551616\r\n', b'X: y\r\n\x0b\r\n', b'Host: y\r\n', b' folded: x\r\n',
                 b'X\x00: y\r\n', b'Content-Length: 4, 4\r\n', b'Content-Length: 4\nX: y\r\n', b'X: y\nContent-Length: 4\n'):
        got = raw(server, post + head + b'\r\n0\r\n\r\n' + smuggled, server.pf.certificate)
        assert got.count(b'HTTP/1.1 ') <= 1 and b'openapi' not in got, (head, got[:300])
        assert got == b'' or got.startswith(b'HTTP/1.1 400'), (head, got[:300])
    for request in (b'GET /v1/openapi.yaml HTTP/1.1\r\n\r\n', b'GET http://x/v1/openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n',
                    b'GET /v1/\x80 HTTP/1.1\r\nHost: x\r\n\r\n', b'GET /v1/openapi.yaml\r\n\r\n', b'\x16\x03\x01\r\n\r\n',
                    b'GET /' + b'x' * 20000 + b' HTTP/1.1\r\nHost: x\r\n\r\n', b'a1 LOGIN x y\r\n\r\n', b'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
                    b'GET /v1/openapi.yaml HTTP/1.1\r\nHost: x\r\n' + b'X: y\r\n' * 5000 + b'\r\n',
                    b'POST /v1/references HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'):
        got = raw(server, request, server.pf.certificate)
        assert got == b'' or got.startswith(b'HTTP/1.1 40') or got.startswith(b'HTTP/1.0 40'), (request[:60], got[:300])
    # Requests that are clear follow each other.
    two = raw(server, smuggled + smuggled.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n'), server.pf.certificate)
    assert two.count(b'HTTP/1.1 200') == 2, two[:300]
    chunked = raw(server, post + b'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n', server.pf.certificate)
    assert chunked.startswith(b'HTTP/1.1 400') and b'"references must be' in chunked, chunked
    # A size that no number holds, one with a sign, lines that end with LF alone, and fields behind the last chunk.
    for body in (b'10000000000000002\r\n{}\r\n0\r\n\r\n', b'-2\r\n{}\r\n0\r\n\r\n', b'0x2\r\n{}\r\n0\r\n\r\n', b'2\n{}\n0\n\n',
                 b'0\r\nContent-Length: 40\r\n\r\n', b'0\r\nTransfer-Encoding: chunked\r\n\r\n', b'0\r\nHost: y\r\n\r\n'):
        got = raw(server, post + b'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n' + body + smuggled, server.pf.certificate)
        assert got.count(b'HTTP/1.1 ') <= 1 and b'openapi' not in got and b'HTTP/1.1 20' not in got, (body, got[:300])
    # A proof behind the body comes too late.
    late = raw(server, post + b'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nAuthorization: Bearer ' +
               server.token(account.address).encode() + b'\r\n\r\n', None)
    assert late.startswith(b'HTTP/1.1 401'), late
    endless = raw(server, post + b'Transfer-Encoding: chunked\r\n\r\n' + b'5;' + b'x' * 200000, server.pf.certificate)
    assert b'HTTP/1.1 20' not in endless
    for body in (b'{"references":' + b'[' * 5000, b'\xff\xfe', b'{"references":[{"uid":1e400}]}', b'nul'):
        assert server.user.ask('POST', '/v1/references', body).status == 400, body[:30]


def slow_readers(server, account):
    """Who does not read is dropped, and costs little meanwhile; others are served."""
    size = 30 << 20
    uid = store(server, account, b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + b'x' * size)
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '1'})
    assert len(server.pf.fetch(one['url']).body) == size
    before = server.memory()
    slow = []
    request = f'GET {urllib.parse.urlsplit(one["url"]).path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(*server.pf.certificate)
    for _ in range(10):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect((server.host, server.references_port))
        stream = context.wrap_socket(plain)
        stream.sendall(request)
        assert stream.recv(100).startswith(b'HTTP/1.1 200')
        slow.append(stream)
    grown = (server.memory() - before) / len(slow)
    assert grown < 8 << 20, f'{grown / 2**20:.1f} MiB a transfer'
    assert server.pf.fetch(one['url'], Range='bytes=0-9').body == b'x' * 10
    for stream in slow:
        stream.close()
    # What is expunged while it is sent: all of it, or an end that is noticed.
    connection = server.pf.connect()
    connection.request('GET', urllib.parse.urlsplit(one['url']).path)
    response = connection.getresponse()
    first = response.read(100)
    expunge(server, account, uid)
    rest = response.read()
    assert len(first) + len(rest) == size, 'what was there when it began is sent to its end'
    nothing_here(server.pf.fetch(one['url']))


def who_never_reads_is_dropped(server, account):
    """The end is awaited without reading: not reading is the point."""
    uid = store(server, account, b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + b'x' * (30 << 20))
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '1'})
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect((server.host, server.references_port))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*server.pf.certificate)
        with context.wrap_socket(plain) as stream:
            stream.sendall(f'GET {urllib.parse.urlsplit(one["url"]).path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
            poller = select.poll()
            poller.register(stream, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
            assert poller.poll(40_000), 'still connected after 40 s without reading'
    assert len(server.pf.fetch(one['url']).body) == 30 << 20, 'others are served'


def curl_gets_along(server, account):
    """Issues, fetches, saves under its name, resumes, asks whether it has changed, revokes; checks our certificate."""
    uid = store(server, account, with_photo())
    origin = f'https://{server.host}:{server.references_port}'

    def curl(*arguments):
        certificate, key = server.pf.certificate
        done = subprocess.run(['curl', '-sS', '--max-time', '60', '--cacert', os.path.join(server.directory, 'cert.pem'),
                               '--cert', certificate, '--key', key, *arguments], capture_output=True, check=True,
                              cwd=server.directory)
        return done.stdout

    asked = {'account': account.address, 'references': [{'folder': FOLDER, 'uid': uid, 'part': '2'}]}
    issued = json.loads(curl('--json', json.dumps(asked), f'{origin}/v1/references'))
    url = origin + urllib.parse.urlsplit(issued['references'][0]['url']).path
    assert curl(url) == PHOTO
    head = curl('-I', url).decode()
    assert re.search(r'(?im)^content-type: image/jpeg', head) and f'content-length: {len(PHOTO)}' in head.lower(), head
    curl('-OJ', url)
    saved = os.path.join(server.directory, 'photo.jpg')
    with open(saved, 'rb+') as file:
        assert file.read() == PHOTO
        file.truncate(100)
    curl('-C', '-', '-o', saved, url)
    with open(saved, 'rb') as file:
        assert file.read() == PHOTO, 'the rest was appended'
    etag = re.search(r'(?im)^etag: (.*?)\r?$', head)[1]
    assert curl('-o', os.devnull, '-w', '%{http_code}', '-H', f'If-None-Match: {etag}', url) == b'304'
    assert curl('-o', os.devnull, '-w', '%{http_code}', '-X', 'DELETE', url) == b'200'
    assert curl('-o', os.devnull, '-w', '%{http_code}', url) == b'410', 'its own issuer is told'


def a_thousand_at_once(server, account):
    """64 KiB each, from one reference, all at the same time: none fails."""
    count = 100 if server.options.slow_machine else 1000
    uid = store(server, account, with_photo(os.urandom(65536), name='many.bin'))
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    path = urllib.parse.urlsplit(one['url']).path
    connections, failures = [server.pf.connect() for _ in range(count)], []
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request('GET', path)
    for connection in connections:
        response = connection.getresponse()
        if response.status != 200 or len(response.read()) != 65536:
            failures.append(response.status)
        connection.close()
    assert not failures, failures[:10]
    listed = server.user.ask('GET', '/v1/references?limit=1000').json()['references']
    assert [r['fetches'] for r in listed if r['id'] == one['id']] == [count]


def one_time_is_once_for_many(server, account):
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address, one_time=True)
    got = []
    threads = [threading.Thread(target=lambda: got.append(server.pf.fetch(one['url']).status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(200) == 1 and got.count(410) == 19, got


def the_description_is_served(server, _account):
    reply = Caller(server).ask('GET', '/v1/openapi.yaml')
    with open(os.path.join(fixture.ROOT, 'server/http/openapi.yaml'), 'rb') as file:
        assert reply.status == 200 and reply.body == file.read()


def acts_are_written_down(server, account):
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address)
    server.pf.fetch(one['url'])
    with open(os.path.join(server.directory, 'audit.jsonl'), encoding='utf-8') as file:
        acts = [json.loads(line) for line in file]
    for command in ('POST /v1/references', 'GET /v1/references', 'POST /v1/messages/resolve', 'POST /v1/messages/externalize'):
        assert [a for a in acts if a['command'] == command and a['actor'] == PF and a['account'] == account.address], command
    log = server.log_tail(100000)
    assert one['url'].rsplit('/', 1)[1] not in log, 'a token is a secret'
    assert 'event=http method=GET path=/v1/references/{token} status=200' in log


def the_account_goes(server, _account):
    account = server.add_account(80)
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address)
    assert server.pf.fetch(one['url']).status == 200
    other = server.add_account(81)
    [friend] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address, audience=other.address)
    with wire.Client(server.host, server.port) as client:
        client.login(other.user, other.password)
        assert urlfetch(client, friend['imap_url'], 'BINARY') == PHOTO
        server.run_admin('account', 'delete', account.address, '--yes')
        assert urlfetch(client, friend['imap_url'], 'BINARY') is None
    nothing_here(server.pf.fetch(one['url']))


def what_the_operator_does(server, account):
    uid = store(server, account)
    admin = lambda *arguments, **more: server.run_admin('reference', *arguments, **more)
    where = (account.address, FOLDER, str(uid))
    [one] = json.loads(admin('create', *where, '--attachments', '--hash', '--json').stdout)
    assert one['issuer'] == '' and one['sha256'] == hashlib.sha256(PHOTO).hexdigest()
    assert server.pf.fetch(one['url']).body == PHOTO
    text = admin('create', *where, '--part', '2', '--one-time', '--audience', PF, '--expires', '2026-12-01T00:00:00Z',
                 check=False)
    assert text.returncode in (0, 1), text  # the time may be too far away, or past
    shown = admin('show', account.address, str(one['id'])).stdout
    assert 'issuer    the operator' in shown and 'fetches   1' in shown and f'{FOLDER} {uid} part 2' in shown, shown
    listed = json.loads(admin('list', account.address, '--json').stdout)
    assert [r for r in listed if r['id'] == one['id']][0]['standing'] == 'good'
    assert f' {FOLDER} {uid} part 2\n' in admin('list', account.address).stdout
    file = os.path.join(server.directory, 'fetched')
    admin('fetch', account.address, str(one['id']), '-o', file)
    with open(file, 'rb') as octets:
        assert octets.read() == PHOTO
    admin('revoke', account.address, str(one['id']))
    assert 'standing  revoked' in admin('show', account.address, str(one['id'])).stdout
    nothing_here(server.pf.fetch(one['url']))
    [two] = json.loads(admin('create', *where, '--json').stdout)
    admin('reset-keys', account.address, FOLDER)
    assert 'standing  reset' in admin('show', account.address, str(two['id'])).stdout
    nothing_here(server.pf.fetch(two['url']))
    [three] = json.loads(admin('create', *where, '--json').stdout)
    admin('reset-keys', account.address)
    nothing_here(server.pf.fetch(three['url']))
    for wrong in (('show', account.address, '999999'), ('show', 'tel:+1555019999', '1'), ('revoke', account.address, '999999'),
                  ('create', account.address, FOLDER, '99999'), ('create', account.address, 'No/such', '1'),
                  ('reset-keys', account.address, 'No/such'), ('fetch', account.address, '999999', '-o', file)):
        assert admin(*wrong, check=False).returncode == 1, wrong
    assert admin('create', account.address, check=False).returncode == 2


def answers_are_described(_server, _account):
    """Each status that came is in the description of its route."""
    described, path, verb = {}, None, None
    with open(os.path.join(fixture.ROOT, 'server/http/openapi.yaml'), encoding='utf-8') as lines:
        for line in lines:
            if found := re.match('  (/[^ ]*):$', line):
                path = re.compile(re.sub('{[^}]*}', '[^/]+', found.group(1)))
            elif found := re.match('    (get|head|post|delete):$', line):
                verb = found.group(1).upper()
            elif found := re.match("        '([0-9]{3})':", line):
                described.setdefault((path, verb), set()).add(int(found.group(1)))
    for method, target, status in SEEN:
        for (path, verb), known in described.items():
            if verb == method and path.fullmatch(target):
                assert status in known, f'{method} {path.pattern}: {status}'


# Where the configuration lets references be for anyone

def anyone_may_fetch_what_is_for_anyone(server, account):
    uid = store(server, account)
    asked = {'folder': FOLDER, 'uid': uid, 'part': '2'}
    nobody = Caller(server)
    [good] = server.user.refer(asked, audience='anyone')
    assert nobody.fetch(good['url']).body == PHOTO and nobody.fetch(good['url'], 'HEAD').status == 200
    assert nobody.fetch(good['url'], query='?encoding=odd').status == 401
    unknown = nobody.fetch(re.sub('.{64}$', '0' * 64, good['url']))
    assert unknown.status == 401

    # What was good once says no more to strangers than what never was.
    def is_unknown(reference):
        for method in ('GET', 'HEAD'):
            reply = nobody.fetch(reference['url'], method)
            assert reply.status == 401 and list(reply.headers) == list(unknown.headers), (reply.status, reply.headers)
        assert nobody.fetch(reference['url']).body == unknown.body
    revoked, once, reset = server.user.refer(asked, asked, asked, audience='anyone', one_time=True)
    assert server.user.ask('DELETE', f'/v1/references/{revoked["id"]}').status == 200
    is_unknown(revoked)
    assert nobody.fetch(once['url']).body == PHOTO
    is_unknown(once)
    [for_user] = server.user.refer(asked)
    is_unknown(for_user)
    [over] = server.user.refer(asked, audience='anyone', expires=server.now() + 2)
    while nobody.fetch(over['url']).status == 200:
        pass  # its time comes
    is_unknown(over)
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'SETACL {CHAT} {account.user} lswi')
        is_unknown(good)
        client.ok(f'DELETEACL {CHAT} {account.user}')
        assert nobody.fetch(good['url']).body == PHOTO
        expunge(server, account, uid)
        is_unknown(good)
        client.ok(f'RESETKEY {CHAT}')
    is_unknown(reset)


def connections_are_counted(server, _account):
    """One more than references.connections is told so, and is served once another has gone."""
    limit = open_configuration.connections

    def enter():
        connection = Caller(server).connect()
        try:
            connection.request('GET', '/v1/openapi.yaml')
            response = connection.getresponse()
            if response.status == 200 and response.read():
                return connection  # it is in, and stays
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
        return None
    held = []
    while len(held) < limit:  # until those of the cases before have been seen to leave
        if connection := enter():
            held.append(connection)
    assert enter() is None
    held.pop().close()
    while not (last := enter()):
        pass  # until it has been seen
    for one in held + [last]:
        one.close()


def open_configuration(folder):
    open_configuration.connections = 8
    tables = configuration(folder)
    tables['urlauth'] = {'anonymous': True}
    tables['references']['connections'] = open_configuration.connections
    tables['limits'] = {'write_stall': 3}
    return tables


def configuration(folder):
    ours = authority.Authority.make(os.path.join(folder, 'ours'))
    jwks = authority.make_token_key(folder)
    configuration.port = fixture.free_ports(1)[0]
    return {'tls': {'client_ca': ours.ca, 'client_crl': ours.crl}, 'pf': {'act_for': ['tel:+1555*']},
            'oauth': {'jwks': jwks, 'issuer': 'https://issuer.example', 'audience': 'imap'},
            'audit': {'file': os.path.join(folder, 'audit.jsonl')},
            'references': {'message_mib': 1},
            'references.listen': [{'address': '127.0.0.1', 'port': configuration.port, 'tls': 'implicit'}]}


def prepared(function):
    def case(server, account):
        if not hasattr(server, 'pf'):
            import time
            server.now = lambda: int(time.time())
            server.references_port = configuration.port
            server.authority = authority.Authority(os.path.join(server.directory, 'ours'))
            server.add_pf(PF, PF_PASSWORD)
            server.run_admin('account', 'add', SUBMIT, '--role', 'submit', '--password-stdin', stdin='x\n')
            server.token = lambda address: server.run_admin(
                'token', os.path.join(server.directory, 'token.pem'), address).stdout.strip()
            server.caller = lambda address: Caller(server, token=server.token(address))
            server.pf = Pf(server, server.authority.issue('pf', [PF]), PF, PF_PASSWORD)
            server.user = server.caller(account.address)
            server.submit = server.caller(SUBMIT)
        function(server, account)
    return case


CASES = [(name, prepared(function)) for name, function in (
    ('a photo is handed on: HTTP and IMAP agree', a_photo_is_handed_on),
    ('B.3.1.3: forwarding without download', forwarding_without_download),
    ('B.3.1.4: indirect delivery', indirect_delivery),
    ('who may do what', who_may_do_what),
    ('the life of a reference', life_of_a_reference),
    ('what has expired is over', expired_is_over),
    ('what a reference names', what_a_reference_names),
    ('ranges and conditions', ranges_and_conditions),
    ('tokens are right to the letter', tokens_are_right_to_the_letter),
    ('names of files are harmless', names_of_files_are_harmless),
    ('references are resolved once', references_are_resolved_once),
    ('messages to resolve', messages_to_resolve),
    ('messages to externalize', messages_to_externalize),
    ('attachments within a CPIM', attachments_within_a_cpim),
    ('ambiguous requests', ambiguous_requests),
    ('slow readers, and an expunge under way', slow_readers),
    ('curl gets along', curl_gets_along),
    ('a thousand fetches at once', a_thousand_at_once),
    ('one time is once, whoever comes', one_time_is_once_for_many),
    ('the description is served', the_description_is_served),
    ('acts of a PF are in the audit log', acts_are_written_down),
    ('what the operator does', what_the_operator_does),
    ('references end with the account', the_account_goes),
    ('strangers are told before they send', strangers_are_told_before_they_send),
    ('rights are asked at the fetch', rights_are_asked_at_the_fetch),
)]
OPEN_CASES = [(name, prepared(function)) for name, function in (
    ('anyone may fetch what is for anyone', anyone_may_fetch_what_is_for_anyone),
    ('connections are counted', connections_are_counted),
    ('answers are as they are described', answers_are_described),
    ('who never reads is dropped', who_never_reads_is_dropped),
)]

if __name__ == '__main__':
    options = fixture.parser(__doc__).parse_args()
    bad = fixture.run_cases(options, CASES, tables=configuration)
    sys.exit(bad | fixture.run_cases(options, OPEN_CASES, tables=open_configuration))
