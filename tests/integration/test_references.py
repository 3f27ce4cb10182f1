#!/usr/bin/env python3
"""The reference service: stored data by reference, over HTTP and IMAP, with a Participating Function of our own."""

import base64
import email.utils
import hashlib
import json
import os
import quopri
import re
import subprocess
import sys
import time
import urllib.parse

import cmsd_fixture as fixture
import imap_wire as wire
from pf import Caller, urlfetch
from reference_server import (CHAT, FOLDER, PF, PF_PASSWORD, PHOTO, SUBMIT, answers_are_described, configuration,
                              described_queries, expunge, nothing_here, over, parse, prepared, referring, store, with_photo)

CPIM_HEADER = (b'From: <tel:+15550100222>\r\nTo: <tel:+15550100001>\r\nNS: imdn <urn:ietf:params:imdn>\r\n'
               b'imdn.Message-ID: x1\r\n\r\n')


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
    message = with_photo(name='delivered.jpg')
    reply = server.pf.terminate(account.address, FOLDER, message)
    assert reply.status == 201, reply.body
    # Whoever got no answer asks again.
    again = server.pf.terminate(account.address, FOLDER, message)
    assert again.status == 200 and again.headers['Location'] == reply.headers['Location'], again.headers
    assert again.headers['CPM-References'] != reply.headers['CPM-References'] and b'external-body' in again.body
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
        assert wire.literal(wire.fetched(client.ok(f'UID FETCH {uid} BODY.PEEK[]')).popitem()[1]) == message
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
        failed = client.command(f'APPEND INBOX CATENATE (URL "{url}") CATENATE (TEXT {{0+}}\r\n)')
        assert failed.status == 'NO' and failed.code('CANNOT') is not None, failed  # by the store, at the end
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
    one = over(server, server.pf, {'folder': FOLDER, 'uid': uid}, lambda one: server.pf.fetch(one['url']), account=account.address)
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
    [rest] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2', 'offset': 10, 'length': (1 << 32) - 1})
    assert server.pf.fetch(rest['url']).body == PHOTO[10:]
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
                     ({'folder': FOLDER, 'uid': uid, 'uidvalidity': 1}, 404), ({'folder': FOLDER, 'uid': 1 << 32}, 400),
                     ({'folder': FOLDER, 'uid': uid, 'uidvalidity': 1 << 32}, 400), ({'folder': FOLDER, 'uid': uid, 'offset': 1 << 32}, 400),
                     ({'folder': FOLDER, 'uid': uid, 'length': 1 << 32}, 400), ({'folder': FOLDER, 'uid': uid, 'length': 0}, 400),
                     ({'folder': FOLDER, 'uid': uid, 'offset': -1}, 400)):
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
    had = server.pf.fetch(one['url'], If_None_Match=etag)
    assert had.status == 304 and had.headers['ETag'] == etag and 'Content-Length' not in had.headers, had.headers
    for false in ('"x"', f'W/{etag}', '"x", "y"', ''):
        assert server.pf.fetch(one['url'], If_Match=false, Range='bytes=0-1', If_None_Match=etag).status == 412, false
    for true in (etag, '*', f'"x", {etag}'):
        assert server.pf.fetch(one['url'], If_Match=true, Range='bytes=0-1').status == 206, true
    assert server.pf.fetch(one['url'], If_Unmodified_Since='Sun, 06 Nov 1994 08:49:37 GMT').status == 200
    [once] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, one_time=True)
    assert server.pf.fetch(once['url'], If_Match='"x"').status == 412
    assert server.pf.fetch(once['url'], If_None_Match=etag).status == 304
    assert server.pf.fetch(once['url']).status == 200, 'that was no use of it'
    assert server.pf.fetch(one['url'], If_None_Match='"x"').status == 200
    assert server.pf.fetch(one['url'], Range='bytes=0-1', If_Range=etag).status == 206
    assert server.pf.fetch(one['url'], Range='bytes=0-1', If_Range='"x"').status == 200
    head = server.pf.fetch(one['url'], 'HEAD')
    assert head.status == 200 and head.body == b'' and head.headers['Content-Length'] == str(len(PHOTO))
    assert head.headers['ETag'] == etag
    head = server.pf.fetch(one['url'], 'HEAD', If_None_Match=etag)
    assert head.status == 304 and head.headers['ETag'] == etag, head.headers
    assert server.pf.fetch(one['url'], 'HEAD', If_Match='"x"').status == 412
    # Of a range HEAD knows nothing (RFC 9110 §14.2).
    head = server.pf.fetch(one['url'], 'HEAD', Range='bytes=0-9')
    assert head.status == 200 and head.headers['Content-Length'] == str(len(PHOTO)) and 'Content-Range' not in head.headers, head.headers
    # Ten thousand ranges do not fit a header.
    bound = server.pf.fetch(one['url'], Range='bytes=' + ','.join(f'{n}-{n}' for n in range(10000)))
    assert bound.status == 400, bound.status


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
    # A CPIM that has a transfer encoding is not looked into.
    encoded = [b'From: x\r\nContent-Type: message/cpim\r\nContent-Transfer-Encoding: ' + name + b'\r\n\r\n' + encode(alone)
               for name, encode in ((b'base64', base64.encodebytes), (b'quoted-printable', quopri.encodestring))]
    for message in (referring([]), plain, b'', b'x', b'\r\n\r\n', referring([plain.decode()]), *encoded):
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
    wrong = re.sub('(/v1/references/)03', r'\g<1>04', text['external_body'])
    assert wrong != text['external_body']
    for bad in (wrong, text['external_body'].replace('https://', 'HTTPS://')):
        reply = server.pf.originate(account.address, referring([once['external_body'], bad]))
        assert reply.status == 422 and len(reply.json()['references']) == 1, reply.body
    broken = once['external_body'].replace(':INTERNAL:02', ':INTERNAL:01')
    assert server.pf.originate(account.address, referring([once['external_body'], broken])).status == 422
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
    # Submission says who the sender is: nobody sends what others have.
    other = server.add_account(79)
    for sender, status in (('', 400), ('?account=', 400), (account.address, 200), (other.address, 422), ('tel:+15550109999', 422),
                           ('no address', 422), (SUBMIT, 422)):
        query = '?account=' + urllib.parse.quote(sender) if sender and sender[0] != '?' else sender
        reply = server.submit.ask('POST', '/v1/messages/resolve' + query, referring([text['external_body']]),
                                  {'Content-Type': 'message/rfc822'})
        assert reply.status == status, (sender, reply.status, reply.body)
    other = server.caller(other.address)
    assert other.ask('POST', '/v1/messages/resolve', referring([text['external_body']]),
                     {'Content-Type': 'message/rfc822'}).status == 422


def pager_and_large(server, account):
    """1300 octets are the most of the Pager Mode; those of the result count, whatever came in."""
    uid = store(server, account, with_photo(b'Hello, world.\r\n', name='t.txt', kind='text/plain'))
    [text] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    number = iter(range(1000))

    def resolved(cpim):
        def ask(fill):
            message = referring([text['external_body']]).replace(b'Forwarded.', fill)
            if cpim:
                message = CPIM_HEADER + message.partition(b'\r\n')[2].partition(b'\r\n')[2]
            assert len(message) > 1301, 'more comes in'
            return server.pf.originate(account.address, message, 'message/cpim' if cpim else 'message/rfc822')
        return ask

    def stored(fill):
        # Each is a message of its own; what comes in is less than what goes out.
        message = with_photo(b'Hello, world.\r\n', name=f'{next(number):03}.txt', kind='image/x-none', text=fill.decode())
        assert len(message) < 1300, 'less comes in'
        return server.pf.terminate(account.address, FOLDER, message)

    for ask, first in ((resolved(False), 900), (resolved(True), 900), (stored, 100)):
        for octets, mode in ((1299, 'pager'), (1300, 'pager'), (1301, 'large')):
            fill = first
            for _ in range(5):  # a UID or an id may have a digit more than the one before
                reply = ask(b'x' * fill)
                assert reply.status in (200, 201) and reply.headers['CPM-References'] not in ('', '0'), (reply.status, reply.body)
                assert reply.headers['Content-Length'] == str(len(reply.body)), reply.headers
                if len(reply.body) == octets:
                    break
                fill += octets - len(reply.body)
            assert len(reply.body) == octets and reply.headers['CPM-Message-Mode'] == mode, (octets, len(reply.body), reply.headers)


def pages_of_references(server, _account):
    """"next" is where it may go on; an issuer's page has what is its own, and may be empty for that."""
    account = server.add_account(82)
    user = server.caller(account.address)
    asked = {'folder': FOLDER, 'uid': store(server, account), 'part': '2'}
    ids = [one['id'] for one in user.refer(asked, asked)]
    [of_pf] = server.pf.refer(asked, account=account.address)

    def page(caller, **query):
        reply = caller.ask('GET', '/v1/references?' + urllib.parse.urlencode({'account': account.address, **query})).json()
        return [one['id'] for one in reply['references']], reply.get('next')
    ids.append(of_pf['id'])
    assert page(user) == page(user, limit=4) == (ids, None)
    assert page(user, limit=2) == (ids[:2], ids[1]) and page(user, limit=2, after=ids[1]) == (ids[2:], None)
    assert page(user, limit=3) == (ids, ids[2]) and page(user, after=ids[2]) == ([], None), 'the last page was just full'
    assert page(server.pf) == (ids[2:], None) and page(server.pf, limit=2) == ([], ids[1])
    assert page(server.pf, limit=2, after=ids[1]) == (ids[2:], None)
    for bad in ('limit=0', 'limit=1001', 'limit=x', 'after=-1', 'after='):
        assert user.ask('GET', '/v1/references?' + bad).status == 400, bad


def queries_are_described(server, account):
    """A route takes the names that its description has, and no other."""
    values = {'account': account.address, 'after': '0', 'limit': '10', 'encoding': 'decoded', 'folder': FOLDER,
              'parts': 'attachments', 'min_octets': '0', 'audience': account.address, 'expires': str(server.now() + 3600),
              'one_time': 'false', 'hash': 'true', 'url': 'https'}
    described = described_queries()
    assert set(values) == set().union(*described.values()), 'each name has a value here that is right'
    uid = store(server, account)
    message = {'body': b'Subject: s\r\n\r\nx', 'headers': {'Content-Type': 'message/rfc822'}}
    for (pattern, method), names in described.items():
        if '/openapi.yaml' in pattern:
            assert not names and Caller(server).ask(method, pattern + '?x=y').status == 200, 'nothing is looked at'
            continue
        [one] = server.pf.refer({'folder': FOLDER, 'uid': uid}, account=account.address)
        path = pattern.replace('{token}', one['url'].rsplit('/', 1)[1])
        needed = {name: values[name] for name in ('folder', 'account') if 'folder' in names}

        def ask(**query):
            more = message if method == 'POST' else {}
            return server.pf.ask(method, f'{path}?{urllib.parse.urlencode({**needed, **query})}', **more)
        wrong = ask(no_such_name='1')
        assert wrong.status == 400, (method, pattern, wrong.status)
        if method != 'HEAD':
            sentence = wrong.json()['error']['message']
            assert '"no_such_name" is unknown' in sentence, sentence
            taken = sentence.partition('it may have ')[2].split()
            assert set(taken) == names and (taken or 'nothing to be said' in sentence), (method, pattern, sentence)
        for name in sorted(values):
            if name not in names:
                assert ask(**{name: values[name]}).status == 400, (method, pattern, name)
            elif method != 'DELETE':
                assert ask(**{name: values[name]}).status in (200, 201), (method, pattern, name)
        if names:
            assert ask(**{name: values[name] for name in names}).status in (200, 201), (method, pattern, 'all at once')


def messages_to_externalize(server, account):
    ask = lambda query, body=b'x', kind='message/rfc822': server.pf.ask(
        'POST', '/v1/messages/externalize?' + query, body, {'Content-Type': kind})
    who = 'account=' + urllib.parse.quote(account.address)
    place = who + '&folder=' + urllib.parse.quote(FOLDER)
    assert ask(who).status == 400
    assert ask(place, kind='message/cpim').status == 415
    for bad in ('&parts=x', '&parts=1,', '&parts=2,2', '&one_time=1', '&hash=yes', '&url=http', '&parts=HEADER', '&expires=yesterday', '&audience=%20', '&min_octets=-1'):
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


def the_description_is_served(server, _account):
    reply = Caller(server).ask('GET', '/v1/openapi.yaml')
    with open(os.path.join(fixture.ROOT, 'server/http/openapi.yaml'), 'rb') as file:
        text = file.read()
    assert reply.status == 200 and reply.body == text
    head = Caller(server).ask('HEAD', '/v1/openapi.yaml')
    assert head.status == 200 and head.body == b'' and head.headers['Content-Length'] == str(len(text)), head.headers


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
    at = lambda seconds: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(server.now() + seconds))
    admin('create', *where, '--part', '2', '--one-time', '--audience', PF, '--expires', at(3600))
    assert 'has passed' in admin('create', *where, '--expires', at(-3600), check=False).stderr
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
    for nothing in (('reset-keys', account.address, ''), ('create', *where, '--part', ''), ('create', *where, '--audience', ''),
                    ('create', *where, '--expires', '')):
        refused = admin(*nothing, check=False)
        assert refused.returncode == 2 and 'it is empty' in refused.stderr, (nothing, refused.stderr)
    assert 'standing  good' in admin('show', account.address, str(three['id'])).stdout
    admin('reset-keys', account.address)
    nothing_here(server.pf.fetch(three['url']))
    for wrong in (('show', account.address, '999999'), ('show', 'tel:+1555019999', '1'), ('revoke', account.address, '999999'),
                  ('create', account.address, FOLDER, '99999'), ('create', account.address, 'No/such', '1'),
                  ('reset-keys', account.address, 'No/such'), ('fetch', account.address, '999999', '-o', file)):
        assert admin(*wrong, check=False).returncode == 1, wrong
    assert admin('create', account.address, check=False).returncode == 2


CASES = prepared((
    ('a photo is handed on: HTTP and IMAP agree', a_photo_is_handed_on),
    ('B.3.1.3: forwarding without download', forwarding_without_download),
    ('B.3.1.4: indirect delivery', indirect_delivery),
    ('the life of a reference', life_of_a_reference),
    ('what has expired is over', expired_is_over),
    ('what a reference names', what_a_reference_names),
    ('ranges and conditions', ranges_and_conditions),
    ('messages to resolve', messages_to_resolve),
    ('pager and large', pager_and_large),
    ('pages of references', pages_of_references),
    ('queries are as they are described', queries_are_described),
    ('messages to externalize', messages_to_externalize),
    ('attachments within a CPIM', attachments_within_a_cpim),
    ('curl gets along', curl_gets_along),
    ('the description is served', the_description_is_served),
    ('acts of a PF are in the audit log', acts_are_written_down),
    ('what the operator does', what_the_operator_does),
    ('references end with the account', the_account_goes),
    ('answers are as they are described', answers_are_described),
))

if __name__ == '__main__':
    options = fixture.parser(__doc__).parse_args()
    sys.exit(fixture.run_cases(options, CASES, tables=configuration))
