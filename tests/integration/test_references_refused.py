#!/usr/bin/env python3
"""The reference service and those who may not have what it has: strangers, hostile requests, crowds, the slow."""

import concurrent.futures
import http.client
import os
import re
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import cmsd_fixture as fixture
import imap_wire as wire
from pf import Caller, KeyCaller
from reference_server import (CHAT, FOLDER, PF, PHOTO, answers_are_described, configuration, context_of, expunge,
                              nothing_here, over, parse, prepared, referring, store, until, with_photo)


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


def acts(address, asked, reference=1):
    """All that can be asked for somebody else: (method, target, body)."""
    who = 'account=' + urllib.parse.quote(address)
    return (('POST', '/v1/references', {'account': address, 'references': [asked]}), ('GET', '/v1/references?' + who, None),
            ('DELETE', f'/v1/references/{reference}?{who}', None), ('POST', '/v1/messages/resolve?' + who, referring([])),
            ('POST', f'/v1/messages/externalize?{who}&folder={urllib.parse.quote(FOLDER)}', with_photo(name='not-stored.jpg')))


def act(caller, method, target, body):
    return caller.ask(method, target, body, {'Content-Type': 'message/rfc822'} if isinstance(body, bytes) else None)


def what_there_is(server, account):
    """Of an account: messages in the folder, and references with how often they were fetched."""
    with wire.Client(server.host, server.port) as client:
        client.login(account.address, account.password)
        messages = client.ok(f'STATUS {CHAT} (MESSAGES UIDNEXT)').untagged
    return messages, server.caller(account.address).ask('GET', '/v1/references?limit=1000').body


def a_pf_acts_for_its_own(server, account):
    """Outside of pf.act_for it can do nothing for anybody, and does not learn who there is."""
    outside = fixture.Account(91)
    outside.address = outside.user = 'tel:+16660100091'
    server.run_admin('account', 'add', outside.address, '--password-stdin', stdin=outside.password + '\n')
    asked = {'folder': FOLDER, 'uid': store(server, outside), 'part': '2'}
    owner = server.caller(outside.address)
    [one] = owner.refer(asked)
    before = what_there_is(server, outside)
    for (method, target, body), (_, unknown, other_body) in zip(acts(outside.address, asked, one['id']), acts('tel:+16660100092', asked)):
        refused = act(server.pf, method, target, body)
        assert refused.status == 403 and refused.code() == 'not_allowed', (method, target, refused.status, refused.body)
        nobody = act(server.pf, method, unknown, other_body)
        assert (nobody.status, nobody.body) == (refused.status, refused.body), (method, unknown, nobody.status)
    # What is for submission on the owner's behalf is not for this PF, by whatever way.
    for method in ('GET', 'DELETE'):
        nothing_here(server.pf.fetch(one['url'], method))
    assert server.pf.fetch(one['url'], 'HEAD').status == 404
    store(server, account)
    sent = server.pf.originate(account.address, referring([one['external_body']]))
    assert sent.status == 422 and sent.json()['references'][0]['url'] == one['imap_url'], sent.body
    assert what_there_is(server, outside) == before, 'nothing was issued, revoked, fetched or stored'
    assert server.submit.fetch(one['url']).body == PHOTO, 'it is good'
    # What its owner has made for this very PF is.
    [gift] = owner.refer(asked, audience=PF)
    assert server.pf.fetch(gift['url']).body == PHOTO


def users_act_for_themselves(server, account):
    """However they prove who they are: without the role pf nobody acts for another."""
    other = server.add_account(92)
    asked = {'folder': FOLDER, 'uid': store(server, other), 'part': '2'}
    owner = server.caller(other.address)
    [one] = owner.refer(asked)
    mine = {'folder': FOLDER, 'uid': store(server, account), 'part': '2'}
    before = what_there_is(server, other)
    for caller in (server.user, Caller(server, server.authority.issue('one-user', [account.address])),
                   KeyCaller(server, 'one-user', server.key('one-user', account.address))):
        for method, target, body in acts(other.address, asked, one['id']):
            refused = act(caller, method, target, body)
            assert refused.status == 403 and refused.code() == 'not_allowed', (caller, method, target, refused.status, refused.body)
        # The same for oneself, named or not.
        [own] = caller.refer(mine, account=account.address)
        for method, target, body in acts(account.address, mine, own['id']):
            done = act(caller, method, target, body)
            assert done.status in (200, 201), (caller, method, target, done.status, done.body)
    # Submission says for whom it resolves, and does nothing else for anybody.
    for method, target, body in acts(other.address, asked, one['id']):
        assert act(server.submit, method, target, body).status == (200 if 'resolve' in target else 403), (method, target)
    assert what_there_is(server, other) == before, 'nothing was issued, revoked, fetched or stored'
    assert server.submit.fetch(one['url']).body == PHOTO


def a_key_proves_a_caller(server, account):
    """PSK-TLS: whose key it is, and for a PF whom it may act for."""
    def is_not_let_in(caller):
        try:
            reply = caller.ask('GET', '/v1/openapi.yaml')
        except ConnectionError:
            return
        raise AssertionError(f'there is an answer: {reply.status}')
    asked = {'folder': FOLDER, 'uid': store(server, account), 'part': '2'}
    pf_key, user_key = server.key('pf-key', PF), server.key('user-key', account.address)
    for how in (('-tls1_3',), ('-tls1_2', '-cipher', 'ECDHE-PSK-CHACHA20-POLY1305')):
        pf, user = KeyCaller(server, 'pf-key', pf_key, *how), KeyCaller(server, 'user-key', user_key, *how)
        [one] = pf.refer(asked, account=account.address)
        assert one['issuer'] == PF and pf.fetch(one['url']).body == PHOTO
        [own] = user.refer(asked, audience=account.address)
        assert own['issuer'] == account.address and user.fetch(own['url']).body == PHOTO
        assert server.pf.fetch(own['url']).body == PHOTO and pf.fetch(own['url'], 'HEAD').status == 200
        nothing_here(user.fetch(one['url']))
        resolved = pf.originate(account.address, referring([one['external_body']]))
        assert list(parse(resolved.body).iter_parts())[1].get_content() == PHOTO
        # A wrong key is nobody's: there is no connection.
        for identity in ('pf-key', 'no-key'):
            is_not_let_in(KeyCaller(server, identity, user_key, *how))
    # A token counts before the key, and a wrong one is no proof whoever shows it.
    [listed] = KeyCaller(server, 'pf-key', pf_key, token=server.token(account.address)).refer(asked)
    assert listed['issuer'] == account.address
    assert KeyCaller(server, 'pf-key', pf_key, token='x.y.z').ask('GET', '/v1/references').status == 401
    server.run_admin('psk', 'revoke', 'user-key')
    is_not_let_in(user)


def strangers_are_told_before_they_send(server, _account):
    """A wrong token costs its owner an answer, and us no memory: the body is not waited for."""
    for target in ('/v1/references', '/v1/messages/resolve', '/v1/messages/externalize?folder=INBOX'):
        head = f'POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x.y.z\r\nContent-Length: 1000000\r\n\r\n'
        with context_of().wrap_socket(socket.create_connection((server.host, server.references_port), timeout=60)) as stream:
            stream.sendall(head.encode())
            assert stream.recv(100).startswith(b'HTTP/1.1 401'), target


def strangers_do_not_ask_without_end(server, _account):
    """The eighth refusal is the last of a connection that proves nobody; whoever is proved may go on."""
    nobody = Caller(server)
    connection = nobody.connect()
    for n in range(8):
        reply = nobody.ask('GET', '/v1/references' if n % 2 else '/', connection=connection)
        assert reply.status in (401, 404) and (reply.headers.get('Connection') == 'close') == (n == 7), (n, reply.headers)
    connection = server.pf.connect()
    for _ in range(20):
        nothing_here(server.pf.ask('GET', '/v1/references/x', connection=connection))
    # One connection may bring several callers.
    connection = nobody.connect()
    for n in range(20):
        who = nobody if n % 4 else server.user
        reply = who.ask('GET', '/v1/references', connection=connection)
        assert reply.status == (401 if n % 4 else 200) and reply.headers.get('Connection') != 'close', (n, reply.status)


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


def tokens_are_right_to_the_letter(server, account):
    uid = store(server, account)
    [one] = server.pf.refer({'folder': FOLDER, 'uid': uid, 'part': '2'}, account=account.address)
    base, token = one['url'].rsplit('/', 1)
    assert server.pf.fetch(one['url']).status == 200
    bad = [token.upper(), token[:-1], token + '0', token[1:], '0' * len(token), token[:2] + '0' * 16 + token[18:],
           token[:-1] + ('0' if token[-1] != '0' else '1'), token[::-1], 'x', '1', '%00', '..%2f..%2fetc%2fpasswd', token + '%20',
           token + '/', token + '//', '/' + token, f'%{ord(token[0]):x}' + token[1:], token[:-1] + f'%{ord(token[-1]):x}']
    for i in range(0, len(token), 7):
        changed = '1' if token[i] != '1' else '2'
        bad.append(token[:i] + changed + token[i + 1:])
    for wrong in bad:
        reply = server.pf.fetch(f'{base}/{wrong}')
        nothing_here(reply)
        nothing_here(server.pf.fetch(f'{base}/{wrong}', 'DELETE'))
    for path in ('/v1/../v1/references/' + token, '/etc/passwd', '/', '//', '/v1/accounts', '/health', '/metrics'):
        nothing_here(server.pf.ask('GET', path))
    for target, allowed in (('/v1/references/' + token, 'GET, HEAD, DELETE'), ('/v1/messages/resolve', 'POST'), ('/v1/openapi.yaml', 'GET, HEAD')):
        wrong = server.pf.ask('PUT', target)
        assert wrong.status == 405 and wrong.headers['Allow'] == allowed, (target, wrong.status, wrong.headers)


def queries_mean_what_they_say(server, account):
    """What is misspelled is not taken for the default, which may be laxer."""
    uid = store(server, account)
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    path = urllib.parse.urlsplit(one['url']).path
    place = '/v1/messages/externalize?folder=' + urllib.parse.quote(FOLDER)
    for method, target, name in (('POST', place + '&one_time=%ZZ', 'one_time'), ('POST', place + '&onetime=true', 'onetime'),
                                 ('POST', place + '&account=%ZZ', 'account'), ('POST', place + '&account=%', 'account'),
                                 ('POST', place + '&account=%00', 'account'), ('POST', place + '&hash=true&hash=false', 'hash'),
                                 ('POST', place + '&x%3Cy=1', 'x%253Cy'), ('POST', '/v1/messages/resolve?acount=tel:+1', 'acount'),
                                 ('GET', '/v1/references?account=%g0', 'account'), ('GET', '/v1/references?issuer=x', 'issuer'),
                                 ('POST', '/v1/references?account=x', 'account'), ('DELETE', path + '?acc=x', 'acc'),
                                 ('GET', path + '?encoding=%ZZ', 'encoding'), ('HEAD', path + '?x', 'x'), ('GET', path + '?encodin=stored', 'encodin')):
        reply = server.user.ask(method, target, b'{}' if method == 'POST' else None, {'Content-Type': 'message/rfc822'})
        assert reply.status == 400 and (method == 'HEAD' or f'"{name}"' in reply.json()['error']['message']), (target, reply.status, reply.body)
        assert Caller(server).ask(method, target).status == 401, 'strangers are told nothing'
    assert server.user.fetch(one['url'], query='?encoding=stored').status == 404, 'it is for submission'
    assert server.pf.fetch(one['url'], query='?').status == 200


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


def raw(server, octets, certificate):
    """What the server says to octets as they are, until it closes; one that hangs fails."""
    with context_of(certificate).wrap_socket(socket.create_connection((server.host, server.references_port), timeout=20)) as stream:
        got = b''
        try:
            try:
                stream.sendall(octets)
            except (ConnectionError, ssl.SSLError):
                pass  # it closed before it had all, and has said why
            while more := stream.recv(1 << 16):
                got += more
        except TimeoutError:
            raise AssertionError(f'the server neither answers nor closes: {octets[:60]} {got[:300]}') from None
        except (ConnectionError, ssl.SSLError):
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
                    b'GET /' + b'x' * 20000 + b' HTTP/1.1\r\nHost: x\r\n\r\n', b'a1 LOGIN x some-password\r\n\r\n', b'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
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


def messages_have_a_budget(server, account):
    """Who sends slowly holds memory: of one account two messages, of all what references.resolve_mib says."""
    def begin(caller, account_of):
        head = (f'POST /v1/messages/resolve?account={urllib.parse.quote(account_of)} HTTP/1.1\r\nHost: x\r\n'
                f'Content-Type: message/rfc822\r\nContent-Length: {1 << 20}\r\n\r\n')
        stream = context_of(caller.certificate).wrap_socket(socket.create_connection((server.host, server.references_port), timeout=20))
        stream.sendall(head.encode() + b'x' * ((1 << 20) - 1))
        return stream

    def is_refused(stream):
        stream.settimeout(0)
        try:
            stream.recv(1)
            return True
        except ssl.SSLWantReadError:
            return False
        except OSError:
            return True
        finally:
            stream.settimeout(20)

    def fill(account_of, count, others):
        """Streams that hold a message each. What others hold meanwhile may be what there is no room for."""
        streams = []
        deadline = time.monotonic() + 100
        while True:
            assert time.monotonic() < deadline, 'there is room without end'
            for stream in [one for one in streams if is_refused(one)]:
                streams.remove(stream)
                stream.close()
            while len(streams) < count:
                try:
                    streams.append(begin(server.pf, account_of))
                except (BrokenPipeError, ConnectionError, ssl.SSLError):
                    pass
            if not is_let_in(others) and not any(map(is_refused, streams)):
                return streams

    def is_let_in(account_of):
        reply = server.pf.originate(account_of, b'Subject: s\r\n\r\nx')
        assert reply.status == 200 or (reply.status == 503 and int(reply.headers['Retry-After']) > 0), (reply.status, reply.body)
        return reply.status == 200
    other, third = server.add_account(75), server.add_account(76)
    assert is_let_in(account.address) and is_let_in(other.address)
    held = fill(account.address, 2, account.address)
    assert is_let_in(other.address), 'the rest is for others'
    held += fill(other.address, 1, third.address)
    assert server.pf.ask('POST', '/v1/references', b'{}').status == 503
    for stream in held:
        stream.sendall(b'x')
        assert stream.recv(100).startswith(b'HTTP/1.1 200'), 'who is in is served'
        stream.close()
    until(lambda: is_let_in(account.address), 'they are gone')
    assert is_let_in(third.address) and server.pf.ask('POST', '/v1/references', b'{}').status == 400


def slow_readers(server, account):
    """Who does not read costs little; others are served."""
    size = 30 << 20
    uid = store(server, account, b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + b'x' * size)
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '1'})
    assert len(server.pf.fetch(one['url']).body) == size
    before = server.memory()
    slow = []
    request = f'GET {urllib.parse.urlsplit(one["url"]).path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode()
    context = context_of(server.pf.certificate)
    for _ in range(10):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect((server.host, server.references_port))
        stream = context.wrap_socket(plain)
        stream.sendall(request)
        assert stream.recv(100).startswith(b'HTTP/1.1 200')
        slow.append(stream)
    grown = (server.memory() - before) / len(slow)
    # Two MiB are held of each, of which most was free before. Sanitizers keep what is freed.
    assert grown < 8 << 20 or server.options.slow_machine, f'{grown / 2**20:.1f} MiB a transfer'
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


def a_thousand_at_once(server, account):
    """64 KiB each, from one reference, all at the same time: none fails."""
    count = 100 if server.options.slow_machine else 1000
    uid = store(server, account, with_photo(os.urandom(65536), name='many.bin'))
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '2'})
    path = urllib.parse.urlsplit(one['url']).path
    connections = [server.pf.connect() for _ in range(count)]
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request('GET', path)

    # Each is read as it comes: one that waits for all before it would be dropped, rightly, on a machine that is slow enough.
    def read(connection):
        response = connection.getresponse()
        got = response.status, len(response.read())
        connection.close()
        return got
    with concurrent.futures.ThreadPoolExecutor(count) as readers:
        got = list(readers.map(read, connections))
    failures = [one for one in got if one != (200, 65536)]
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
    is_unknown(over(server, server.user, asked, lambda one: nobody.fetch(one['url']), audience='anyone'))
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
    """One more than references.connections is not let in, nor one more than references.connections_per_address of an address;
    it is once another has gone."""
    limit, of_one = open_configuration.connections, open_configuration.connections_per_address

    def enter(address):
        connection = Caller(server).connect(address)
        try:
            connection.request('GET', '/v1/openapi.yaml')
            response = connection.getresponse()
            if response.status == 200 and response.read():
                return connection  # it is in, and stays
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
        return None

    def hold(address):
        connection = enter(address)
        if connection:
            held.append(connection)
        return connection is not None
    held = []
    for _ in range(of_one):
        until(lambda: hold('127.0.0.1'), 'those of the cases before have been seen to leave')
    assert enter('127.0.0.1') is None
    held.pop().close()
    until(lambda: hold('127.0.0.1'), 'it has been seen to leave')
    for _ in range(limit - of_one):
        assert hold('127.0.0.2'), 'there is room for others'
    assert enter('127.0.0.3') is None
    held.pop().close()
    until(lambda: hold('127.0.0.3'), 'it has been seen to leave')
    for one in held:
        one.close()


def who_never_reads_is_dropped(server, account):
    """The end is awaited without reading: not reading is the point."""
    uid = store(server, account, b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + b'x' * (30 << 20))
    [one] = server.user.refer({'folder': FOLDER, 'uid': uid, 'part': '1'})
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect((server.host, server.references_port))
        with context_of(server.pf.certificate).wrap_socket(plain) as stream:
            stream.sendall(f'GET {urllib.parse.urlsplit(one["url"]).path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
            poller = select.poll()
            poller.register(stream, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
            assert poller.poll(40_000), 'still connected after 40 s without reading'
    assert len(server.pf.fetch(one['url']).body) == 30 << 20, 'others are served'


def open_configuration(folder):
    open_configuration.connections, open_configuration.connections_per_address = 8, 5
    tables = configuration(folder)
    tables['urlauth'] = {'anonymous': True}
    tables['references']['connections'] = open_configuration.connections
    tables['references']['connections_per_address'] = open_configuration.connections_per_address
    tables['limits'] = {'write_stall': 3}
    return tables


CASES = prepared((
    ('who may do what', who_may_do_what),
    ('a PF acts for its own', a_pf_acts_for_its_own),
    ('users act for themselves', users_act_for_themselves),
    ('a pre-shared key proves a caller', a_key_proves_a_caller),
    ('strangers are told before they send', strangers_are_told_before_they_send),
    ('strangers do not ask without end', strangers_do_not_ask_without_end),
    ('rights are asked at the fetch', rights_are_asked_at_the_fetch),
    ('tokens are right to the letter', tokens_are_right_to_the_letter),
    ('queries mean what they say', queries_mean_what_they_say),
    ('names of files are harmless', names_of_files_are_harmless),
    ('references are resolved once', references_are_resolved_once),
    ('ambiguous requests', ambiguous_requests),
    ('messages have a budget', messages_have_a_budget),
    ('slow readers, and an expunge under way', slow_readers),
    ('a thousand fetches at once', a_thousand_at_once),
    ('one time is once, whoever comes', one_time_is_once_for_many),
))
OPEN_CASES = prepared((
    ('anyone may fetch what is for anyone', anyone_may_fetch_what_is_for_anyone),
    ('connections are counted', connections_are_counted),
    ('answers are as they are described', answers_are_described),
    ('who never reads is dropped', who_never_reads_is_dropped),
))

if __name__ == '__main__':
    options = fixture.parser(__doc__).parse_args()
    bad = fixture.run_cases(options, CASES, tables=configuration)
    sys.exit(bad | fixture.run_cases(options, OPEN_CASES, tables=open_configuration))
