// Package archivetest packs folders into the packages that browsers install: a ZIP, which is also an XPI, and a CRX3
// signed with the caller's own key. It is for tests only; nothing that is shipped imports it.
//
//	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
//	crx, id, err := archivetest.PackCRX3(os.DirFS("testdata/inert"), key)
//
// Packing the same folder twice gives the same ZIP: entries are sorted and carry no time.
package archivetest

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io/fs"

	"github.com/extwatch/extwatch/manifests"
)

// PackZip packs all regular files of fsys, compressed, in lexical order. Other entries are an error: a test that wants
// links or devices in a package has to write them itself.
func PackZip(fsys fs.FS) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is not a regular file", name)
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		file, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pack a ZIP: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack a ZIP: %w", err)
	}
	return out.Bytes(), nil
}

// PackCRX3 packs fsys as a CRX3 whose developer key is key, an *rsa.PrivateKey or an *ecdsa.PrivateKey, and returns the
// extension's ID with it. Each of others adds one more valid proof, as a store's publisher key does.
func PackCRX3(fsys fs.FS, key crypto.Signer, others ...crypto.Signer) (crx []byte, id string, err error) {
	packed, err := PackZip(fsys)
	if err != nil {
		return nil, "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, "", fmt.Errorf("pack a CRX3: encode the developer key: %w", err)
	}
	sum := sha256.Sum256(der)
	signed := field(nil, 1, sum[:16]) // SignedData.crx_id

	message := []byte("CRX3 SignedData\x00")
	message = binary.LittleEndian.AppendUint32(message, uint32(len(signed)))
	message = append(message, signed...)
	digest := sha256.Sum256(append(message, packed...))

	var header []byte
	for _, signer := range append([]crypto.Signer{key}, others...) {
		number, proof, err := prove(signer, digest[:])
		if err != nil {
			return nil, "", fmt.Errorf("pack a CRX3: %w", err)
		}
		header = field(header, number, proof)
	}
	header = field(header, 10000, signed) // signed_header_data

	crx = append(crx, "Cr24"...)
	crx = binary.LittleEndian.AppendUint32(crx, 3)
	crx = binary.LittleEndian.AppendUint32(crx, uint32(len(header)))
	crx = append(crx, header...)
	return append(crx, packed...), manifests.IDFromPublicKey(der), nil
}

// prove returns an AsymmetricKeyProof and the field of CrxFileHeader that it belongs in.
func prove(signer crypto.Signer, digest []byte) (number int, proof []byte, err error) {
	switch signer.Public().(type) {
	case *rsa.PublicKey:
		number = 2 // sha256_with_rsa
	case *ecdsa.PublicKey:
		number = 3 // sha256_with_ecdsa
	default:
		return 0, nil, fmt.Errorf("a CRX3 cannot be signed with a %T", signer)
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return 0, nil, fmt.Errorf("encode a key: %w", err)
	}
	signature, err := signer.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return 0, nil, fmt.Errorf("sign: %w", err)
	}
	return number, field(field(nil, 1, der), 2, signature), nil
}

// field appends one length-delimited protobuf field. It is written by hand so that packing does not rest on the library
// with which the reader under test parses.
func field(to []byte, number int, value []byte) []byte {
	to = binary.AppendUvarint(to, uint64(number)<<3|2)
	to = binary.AppendUvarint(to, uint64(len(value)))
	return append(to, value...)
}
