"""Certificate authorities for tests: each in a folder of its own, made with openssl."""

import base64
import json
import os
import subprocess

CONFIGURATION = """
[ca]
default_ca = this
[this]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = nothing
[nothing]
"""


def openssl(*arguments):
    subprocess.run(['openssl', *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_token_key(folder):
    """An Ed25519 key for tokens, token.pem in the folder, which `cms-admin token` takes; gives the JWKS file with its public half."""
    key, jwks = os.path.join(folder, 'token.pem'), os.path.join(folder, 'jwks.json')
    openssl('genpkey', '-algorithm', 'ED25519', '-out', key)
    # RFC 8410: the last 32 octets of the public key's structure are the key.
    done = subprocess.run(['openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER'], stdout=subprocess.PIPE, check=True)
    x = base64.urlsafe_b64encode(done.stdout[-32:]).decode().rstrip('=')
    with open(jwks, 'w', encoding='ascii') as out:
        json.dump({'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': x}]}, out)
    return jwks


class Authority:
    def __init__(self, folder):
        """One that was made before."""
        self.folder = folder
        self.config, self.ca, self.crl = (self.path(one) for one in ('ca.cnf', 'ca.pem', 'crl.pem'))

    @classmethod
    def make(cls, folder):
        os.makedirs(folder)
        self = cls(folder)
        with open(self.config, 'w', encoding='ascii') as out:
            out.write(CONFIGURATION.format(folder=self.folder))
        with open(self.path('index.txt'), 'w', encoding='ascii'):
            pass
        with open(self.path('serial'), 'w', encoding='ascii') as out:
            out.write('01\n')
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                f'/CN={os.path.basename(folder)}', '-keyout', self.path('ca.key'), '-out', self.ca)
        self.list_revoked()
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, uris, *more):
        """A client's certificate and key; `more` is for `openssl ca`."""
        request, certificate, key = (self.path(f'{name}.{kind}') for kind in ('csr', 'pem', 'key'))
        openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
                '-addext', 'subjectAltName=' + ','.join(f'URI:{uri}' for uri in uris), '-addext',
                'extendedKeyUsage=clientAuth', '-keyout', key, '-out', request)
        openssl('ca', '-batch', '-config', self.config, '-notext', '-in', request, '-out', certificate, *more)
        return certificate, key

    def revoke(self, certificate):
        openssl('ca', '-config', self.config, '-revoke', certificate)
        self.list_revoked()

    def list_revoked(self):
        openssl('ca', '-config', self.config, '-gencrl', '-out', self.crl)
