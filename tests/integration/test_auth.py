#!/usr/bin/env python3
"""Proving who one is, with others' clients: Debian's gsasl for SCRAM, openssl s_client for client certificates."""

import base64
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from urllib.parse import quote

import authority
import cmsd_fixture as fixture
import imap_wire as wire

PF = 'sip:pf@example.com'
PF_PASSWORD = 'pf-password'


def run(command, stdin=''):
    if not shutil.which(command[0]):
        raise fixture.Skip(f'{command[0]} is not installed')
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          errors='replace')
    return done.returncode, done.stdout


def gsasl(server, mechanism, user, password, *more, tls=True):
    """The exit status, and all that was said."""
    certificate = os.path.join(server.directory, 'cert.pem')
    how = ['--starttls', f'--x509-ca-file={certificate}'] if tls else ['--no-starttls']
    return run(['gsasl', '--imap', f'--connect=127.0.0.1:{server.port}', '--hostname=localhost', '--service=imap', *how,
                f'--mechanism={mechanism}', f'--authentication-id={user}', f'--password={password}', *more])


def logs_in(said):
    status, text = said
    assert status == 0 and '\n. OK [CAPABILITY ' in text, (status, text[-2000:])


def is_refused(said, how='AUTHENTICATIONFAILED'):
    status, text = said
    assert '\n. OK [CAPABILITY ' not in text and how in text, (status, text[-2000:])


def scram_over_tls(server, account):
    logs_in(gsasl(server, 'SCRAM-SHA-256', account.user, account.password, '--no-cb'))
    is_refused(gsasl(server, 'SCRAM-SHA-256', account.user, 'wrong', '--no-cb'))


def scram_plus_is_bound_to_the_connection(server, account):
    """gsasl takes tls-exporter over TLS 1.3: both sides have the same octets, or the proof fails."""
    logs_in(gsasl(server, 'SCRAM-SHA-256-PLUS', account.user, account.password))
    is_refused(gsasl(server, 'SCRAM-SHA-256-PLUS', account.user, 'wrong'))


def scram_without_tls_from_this_machine(server, account):
    logs_in(gsasl(server, 'SCRAM-SHA-256', account.user, account.password, tls=False))


def scram_for_a_user(server, account):
    allowed = f'--authorization-id={account.user}'
    logs_in(gsasl(server, 'SCRAM-SHA-256', PF, PF_PASSWORD, '--no-cb', allowed))
    is_refused(gsasl(server, 'SCRAM-SHA-256', PF, PF_PASSWORD, '--no-cb', '--authorization-id=+4912345'),
               'AUTHORIZATIONFAILED')
    is_refused(gsasl(server, 'SCRAM-SHA-256', account.user, account.password, '--no-cb', f'--authorization-id={PF}'),
               'AUTHORIZATIONFAILED')


def scram_needs_a_password_that_was_set_here(server, _account):
    """An imported hash is no key of SCRAM; the password does for PLAIN, and for SCRAM once it is set again."""
    address = '+15550100031'
    _, sha512 = run(['openssl', 'passwd', '-6', 'Hello world!'])
    accounts = os.path.join(server.directory, 'accounts.jsonl')
    with open(accounts, 'w', encoding='ascii') as out:
        json.dump({'address': address, 'password_hash': sha512.strip()}, out)
    server.run_admin('account', 'load', accounts)
    with wire.Client(server.host, server.port) as client:
        client.ok(f'LOGIN {address} "Hello world!"')
    is_refused(gsasl(server, 'SCRAM-SHA-256', address, 'Hello world!', '--no-cb'))
    assert 'set, but not for SCRAM' in server.run_admin('account', 'show', address).stdout
    server.run_admin('account', 'passwd', address, '--password-stdin', stdin='Hello world!\n')
    logs_in(gsasl(server, 'SCRAM-SHA-256', address, 'Hello world!', '--no-cb'))


def s_client(server, say, *more, tls='starttls'):
    """What openssl says and hears; the commands are pipelined after the handshake."""
    where = (['-connect', f'127.0.0.1:{server.port}', '-starttls', 'imap'] if tls == 'starttls' else
             ['-connect', f'127.0.0.1:{server.tls_port}'])
    return run(['openssl', 's_client', '-quiet', '-ign_eof', *where, *more], stdin=say)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def external(server, certificate, authzid='=', *more, ca=None):
    """Each side checks the other: the client has the server's certificate for an authority, and its name."""
    cert, key = certificate
    return s_client(server, f'a CAPABILITY\r\nb AUTHENTICATE EXTERNAL {authzid}\r\nd LOGOUT\r\n', '-cert', cert, '-key', key,
                    '-CAfile', ca or os.path.join(server.directory, 'cert.pem'), '-verify_return_error', '-verify_ip', '127.0.0.1',
                    *more)


def certificate_names_the_account(server, account):
    for certificate in (server.authority.issue('user', [account.address]),
                        server.authority.issue('alias', ['https://example.com/', account.alias])):
        for version in ('-tls1_2', '-tls1_3'):
            _, text = external(server, certificate, '=', version)
            assert 'AUTH=EXTERNAL' in text and 'b OK [CAPABILITY' in text, text[-2000:]
    with wire.Client(server.host, server.port) as client:
        client.ok('STARTTLS')
        client.start_tls()
        assert 'AUTH=EXTERNAL' not in client.capabilities(), 'offered without a certificate'
        assert client.command('AUTHENTICATE EXTERNAL =').code('CANNOT') is not None


def client_checks_the_server(server, account):
    """A client that trusts another authority, or expects another name, ends the handshake before it says who it is."""
    certificate = server.authority.issue('careful', [account.address])
    for version in ('-tls1_2', '-tls1_3'):
        assert 'b OK [CAPABILITY' in external(server, certificate, '=', version)[1]
        status, text = external(server, certificate, '=', version, ca=server.authority.ca)
        assert status != 0 and 'verify error' in text and '* CAPABILITY' not in text, (status, text[-2000:])
        status, text = external(server, certificate, '=', version, '-verify_ip', '127.0.0.2')
        assert status != 0 and 'verify error' in text and '* CAPABILITY' not in text, (status, text[-2000:])


def certificate_of_a_pf_acts_for_users(server, account):
    certificate = server.authority.issue('pf', [PF])
    assert 'b OK [CAPABILITY' in external(server, certificate, encoded(account.user))[1]
    assert 'b NO [AUTHORIZATIONFAILED]' in external(server, certificate, encoded('+4912345'))[1]


def bad_certificates_do_not_get_through(server, account):
    ours, others = server.authority, authority.Authority.make(os.path.join(server.directory, 'others'))
    expired = ours.issue('expired', [account.address], '-startdate', '20200101000000Z', '-enddate', '20200102000000Z')
    revoked = ours.issue('revoked', [account.address])
    ours.revoke(revoked[0])
    seen = server.log_count('event=certificate_reloaded')
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_log('event=certificate_reloaded', seen + 1)
    for certificate, why in ((others.issue('foreign', [account.address]), 'unable to get local issuer certificate'),
                             (expired, 'certificate has expired'), (revoked, 'certificate revoked')):
        for version in ('-tls1_2', '-tls1_3'):
            seen = server.log_count(why)
            _, text = external(server, certificate, '=', version)
            assert 'b OK' not in text and 'alert' in text, text[-2000:]
            server.wait_for_log(why, seen + 1)      # the server may say so after openssl has ended
    assert 'b OK' in external(server, ours.issue('good', [account.address]))[1]


def psk_add(server, identity, address):
    return server.run_admin('psk', 'add', identity, address).stdout.strip()


PSK_HANDSHAKES = (['-tls1_3'],
                  ['-tls1_2', '-cipher', 'ECDHE-PSK-CHACHA20-POLY1305'])


def by_psk(server, identity, key, how, authzid='='):
    return s_client(server, f'a CAPABILITY\r\nb AUTHENTICATE EXTERNAL {authzid}\r\nd LOGOUT\r\n', '-psk_identity', identity,
                    '-psk', key, *how, tls='implicit')[1]


def psk_names_the_account(server, account):
    key = psk_add(server, 'phone-7', account.user)
    assert len(key) == 64, key
    assert key not in server.run_admin('psk', 'list').stdout
    assert 'phone-7' in server.run_admin('psk', 'list').stdout
    pf_key = psk_add(server, 'as-7', PF)
    for how in PSK_HANDSHAKES:
        text = by_psk(server, 'phone-7', key, how)
        assert 'AUTH=EXTERNAL' in text and 'b OK [CAPABILITY' in text, text[-2000:]
        assert 'AUTHORIZATIONFAILED' in by_psk(server, 'phone-7', key, how, encoded(PF))
        assert 'b OK [CAPABILITY' in by_psk(server, 'as-7', pf_key, how, encoded(account.user))
        assert 'AUTHORIZATIONFAILED' in by_psk(server, 'as-7', pf_key, how, encoded('+4912345'))


def psk_refusals(server, account):
    key = psk_add(server, 'phone-8', account.user)
    wrong = ('0' if key[0] != '0' else '1') + key[1:]
    for how in PSK_HANDSHAKES:
        known, unknown = by_psk(server, 'phone-8', wrong, how), by_psk(server, 'nobody', wrong, how)
        for text in (known, unknown):
            assert 'CAPABILITY' not in text and 'alert' in text, text[-2000:]
        alerts = [re.search(r'alert ([a-z ]+)', text).group(1) for text in (known, unknown)]
        assert alerts[0] == alerts[1], f'a wrong key and an unknown identity look different: {alerts}'
    for identity in ('', 'with space', 'x' * 129):
        assert server.run_admin('psk', 'add', identity, account.user, check=False).returncode != 0, identity
    assert server.run_admin('psk', 'add', 'phone-8', account.user, check=False).returncode == 1
    assert server.run_admin('psk', 'add', 'short', account.user, '--key-stdin', stdin='aabb\n', check=False).returncode == 1
    server.run_admin('psk', 'revoke', 'phone-8')
    assert 'b OK' not in by_psk(server, 'phone-8', key, PSK_HANDSHAKES[0])
    assert server.run_admin('psk', 'revoke', 'phone-8', check=False).returncode == 1


def token_for(server, address, *more):
    return server.run_admin('token', os.path.join(server.directory, 'token.pem'), address, *more).stdout.strip()


def bearer(server, user, token):
    """curl's exit status and its talk."""
    return run(['curl', '-sv', '--ssl-reqd', '-k', '--user', user, '--oauth2-bearer', token, '--login-options',
                'AUTH=OAUTHBEARER', f'imap://127.0.0.1:{server.port}/'])


def oauth_token_logs_in(server, account):
    status, text = bearer(server, account.user, token_for(server, account.address))
    assert status == 0 and '* LIST' in text, text[-2000:]
    status, text = bearer(server, account.user, token_for(server, PF))
    assert status == 0, text[-2000:]


def oauth_refusals(server, account):
    good = token_for(server, account.address)
    head, claims, signature = good.split('.')
    nobody = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip('=')
    other = os.path.join(server.directory, 'other.pem')
    authority.openssl('genpkey', '-algorithm', 'ED25519', '-out', other)
    for token in (f'{nobody}.{claims}.', f'{nobody}.{claims}.{signature}', f'{head}.{claims}.AAAA',
                  server.run_admin('token', other, account.address).stdout.strip(),
                  token_for(server, account.address, '--minutes', '52560000'),
                  token_for(server, account.address, '--minutes', '-10'), token_for(server, 'tel:+15550100999')):
        client = wire.Client(server.host, server.tls_port, tls=True)
        with client:
            message = base64.b64encode(f'n,,\x01auth=Bearer {token}\x01\x01'.encode()).decode()
            tag = client.start(f'AUTHENTICATE OAUTHBEARER {message}')
            challenge = client.line()
            assert challenge.startswith(b'+ ') and b'invalid_token' in base64.b64decode(challenge[2:]), challenge
            client.send(b'AQ==\r\n')
            assert client.finish(tag).code('AUTHENTICATIONFAILED') is not None
    status, text = bearer(server, '+15550100999', good)
    assert status != 0 and 'AUTHORIZATIONFAILED' in text, text[-2000:]
    with wire.Client(server.host, server.tls_port, tls=True) as client:
        try:
            client.send(b'a AUTHENTICATE OAUTHBEARER ' + b'QUFB' * (1 << 18) + b'\r\n')
            assert b'a OK' not in client.line()
        except wire.Closed:
            pass  # refused while it was still sending


def acts_of_a_pf_are_written_down(server, account):
    log = os.path.join(server.directory, 'audit.jsonl')
    if os.path.exists(log):
        os.rename(log, log + '.before')
    server.process.send_signal(signal.SIGHUP)
    server.wait_for_file(log)
    assert os.stat(log).st_mode & 0o777 == 0o600
    token = base64.b64encode(f'{account.user}\0{PF}\0{PF_PASSWORD}'.encode()).decode()
    with wire.Client(server.host, server.port) as client:
        client.ok(f'AUTHENTICATE PLAIN {token}')
        client.ok('NOOP')
        client.ok('APPEND INBOX {5+}\r\nhello')
        client.ok('SELECT INBOX')
        client.ok('STORE 1:* +FLAGS (\\Seen)')
        client.ok('UID FETCH 1 (BODY.PEEK[])')
        assert client.command('COPY 1 Nowhere').status == 'NO'
        client.ok('UNSELECT')
        client.ok('UNAUTHENTICATE')
        client.ok(f'LOGIN {account.user} {account.password}')
        client.ok('CREATE Mine')
    with open(log, encoding='utf-8') as lines:
        acts = [json.loads(line) for line in lines]
    assert all(act['actor'] == PF and act['account'] == account.address for act in acts), acts
    told = [(act['command'], act.get('folder'), act.get('messages'), act['outcome'].split(']')[0]) for act in acts]
    validity = told[1][3].split()[2]
    assert told == [('LOGIN', None, None, 'OK'), ('APPEND', 'INBOX', None, f'OK [APPENDUID {validity} 1'),
                    ('SELECT', 'INBOX', None, 'OK [READ-WRITE'), ('STORE', 'INBOX', '1', 'OK'),
                    ('UID FETCH', 'INBOX', '1', 'OK'), ('COPY', 'INBOX -> Nowhere', '1', 'NO [TRYCREATE'),
                    ('UNSELECT', 'INBOX', None, 'OK'), ('UNAUTHENTICATE', None, None, 'OK')], told
    assert 'hello' not in str(acts)
    shown = server.run_admin('audit', 'tail', '-n', '2', '--account', account.address).stdout
    assert len(shown.splitlines()) == 2 and 'UNSELECT' in shown, shown


def acts_of_a_pf_as_itself_name_the_owner(server, account):
    log = os.path.join(server.directory, 'audit.jsonl')
    other = server.add_account(41)
    with wire.Client(server.host, server.port) as owner:
        owner.login(account.user, account.password)
        owner.ok('CREATE Shared')
        owner.append('Shared', b'Subject: hello\r\n\r\nhello\r\n')
        owner.ok(f'SETACL Shared {PF} lrs')
        rump = f'imap://{quote(account.user)}@localhost/Shared/;UID=1;URLAUTH=user+{quote(PF)}'
        [url] = owner.ok(f'GENURLAUTH "{rump}" INTERNAL').all(rb'\* GENURLAUTH "?([^"\r]*)"?\r\n')
        url = url.group(1).decode()
    with wire.Client(server.host, server.port) as client:
        client.login(PF, PF_PASSWORD)
        with open(log, 'rb') as lines:
            before = len(lines.readlines())
        shared = f'"Other Users/{account.address}/Shared"'
        client.ok('CREATE Mine')
        client.ok('SELECT INBOX')
        client.ok('LIST "" INBOX')
        client.ok('LIST "" "*" RETURN (STATUS (MESSAGES))')
        client.ok('NOTIFY SET (SELECTED (MessageNew (BODY.PEEK[]) MessageExpunge))')
        client.ok(f'EXAMINE {shared}')
        client.ok('FETCH 1 (BODY.PEEK[])')
        client.ok('COPY 1 Mine')
        client.ok('UNSELECT')
        assert b'hello' in b''.join(client.ok(f'URLFETCH "{url}"').untagged)
        assert client.ok(f'URLFETCH "{url[:-1]}"').untagged
        client.ok(f'APPEND Mine CATENATE (URL "/Other%20Users/{account.address}/Shared/;UID=1")')
        assert client.command(f'STATUS "Other Users/{other.address}/Private" (MESSAGES)').status == 'NO'
        client.ok('STATUS Mine (MESSAGES)')
    with open(log, encoding='utf-8') as lines:
        acts = [json.loads(line) for line in lines][before:]
    assert all(act['actor'] == PF for act in acts), acts
    told = [(act['account'], act['command'], act.get('folder'), act.get('messages'), act['outcome'][:2]) for act in acts]
    path = shared.strip('"')
    assert told == [(PF, 'LIST', 'Other Users', None, 'OK'), (PF, 'NOTIFY', 'Other Users', None, 'OK'),
                    (account.address, 'EXAMINE', path, None, 'OK'), (account.address, 'FETCH', path, '1', 'OK'),
                    (account.address, 'COPY', f'{path} -> Mine', '1', 'OK'), (account.address, 'UNSELECT', path, None, 'OK'),
                    (account.address, 'URLFETCH', 'Shared', '1', 'OK'), (account.address, 'APPEND', 'Shared', '1', 'OK'),
                    (other.address, 'STATUS', f'Other Users/{other.address}/Private', None, 'NO')], told


def operators_do_not_log_in(server, _account):
    address = 'sip:operator@example.com'
    server.run_admin('account', 'add', address, '--role', 'operator', '--password-stdin', stdin='secret\n')
    with wire.Client(server.host, server.port) as client:
        assert client.command(f'LOGIN {address} secret').code('AUTHORIZATIONFAILED') is not None
        assert client.command(f'LOGIN {address} wrong').code('AUTHENTICATIONFAILED') is not None
        plain = base64.b64encode(f'\0{address}\0secret'.encode()).decode()
        assert client.command(f'AUTHENTICATE PLAIN {plain}').code('AUTHORIZATIONFAILED') is not None
        assert client.command('SELECT INBOX').status == 'BAD', 'it is not logged in'
    is_refused(gsasl(server, 'SCRAM-SHA-256', address, 'secret', '--no-cb'), 'AUTHORIZATIONFAILED')


def the_audit_log_is_followed_over_its_rotation(server, account):
    log = os.path.join(server.directory, 'audit.jsonl')
    token = base64.b64encode(f'{account.user}\0{PF}\0{PF_PASSWORD}'.encode()).decode()

    def act(folder):
        with wire.Client(server.host, server.port) as client:
            client.ok(f'AUTHENTICATE PLAIN {token}')
            client.ok(f'EXAMINE {folder}')

    def told():
        return follower.stdout.readline().split()[-2:]

    act('INBOX')
    with subprocess.Popen([server.admin, '--config', server.config, 'audit', 'tail', '--follow', '-n', '1'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as follower:
        try:
            assert told() == ['EXAMINE', 'INBOX']
            os.rename(log, log + '.1')
            act('INBOX')  # still into the file that was renamed
            assert [told()[-1], told()] == ['LOGIN', ['EXAMINE', 'INBOX']]
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_file(log)
            act('INBOX')
            assert [told()[-1], told()] == ['LOGIN', ['EXAMINE', 'INBOX']]
        finally:
            follower.terminate()
    os.remove(log + '.1')


def with_authority(folder):
    """More of the configuration: an authority for clients, and a PF's rights."""
    ours = authority.Authority.make(os.path.join(folder, 'ours'))
    jwks = authority.make_token_key(folder)
    return {'tls': {'client_ca': ours.ca, 'client_crl': ours.crl, 'psk': True}, 'pf': {'act_for': ['tel:+1555*']},
            'oauth': {'jwks': jwks, 'issuer': 'https://issuer.example', 'audience': 'imap'},
            'imap': {'server_name': 'localhost'}, 'audit': {'file': os.path.join(folder, 'audit.jsonl')}}


def prepared(function):
    def case(server, account):
        if not hasattr(server, 'authority'):
            server.authority = authority.Authority(os.path.join(server.directory, 'ours'))
            server.add_pf(PF, PF_PASSWORD)
        function(server, account)
    return case


def certificates_are_read_when_they_change(server, _account):
    with wire.Client(server.host, server.tls_port, tls=True) as old:
        before = ssl.get_server_certificate((server.host, server.tls_port))
        seen = server.log_count('event=certificate_reloaded')
        fixture.make_certificate(server.directory)
        server.wait_for_log('event=certificate_reloaded', seen + 1)
        assert ssl.get_server_certificate((server.host, server.tls_port)) != before
        old.ok('NOOP')  # whoever is connected stays so


CASES = [(name, prepared(function)) for name, function in (
    ('SCRAM over TLS', scram_over_tls),
    ('SCRAM-PLUS is bound to the connection', scram_plus_is_bound_to_the_connection),
    ('SCRAM without TLS, from this machine', scram_without_tls_from_this_machine),
    ('SCRAM of a PF for a user', scram_for_a_user),
    ('SCRAM needs a password that was set here', scram_needs_a_password_that_was_set_here),
    ('EXTERNAL: a certificate names the account', certificate_names_the_account),
    ('EXTERNAL: the client checks the server too', client_checks_the_server),
    ('EXTERNAL: a PF acts for its users only', certificate_of_a_pf_acts_for_users),
    ('EXTERNAL: of another authority, expired, revoked', bad_certificates_do_not_get_through),
    ('PSK-TLS: a key names the account', psk_names_the_account),
    ('PSK-TLS: wrong keys, unknown identities, revoked ones', psk_refusals),
    ('OAUTHBEARER with curl', oauth_token_logs_in),
    ('OAUTHBEARER: bad tokens', oauth_refusals),
    ('certificates are read when they change', certificates_are_read_when_they_change),
    ('acts of a PF are in the audit log', acts_of_a_pf_are_written_down),
    ('acts of a PF as itself name the owner', acts_of_a_pf_as_itself_name_the_owner),
    ('operators do not log in', operators_do_not_log_in),
    ('the audit log is followed', the_audit_log_is_followed_over_its_rotation),
)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES, tables=with_authority))
