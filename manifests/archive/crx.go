package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// maxHeader bounds the part of a CRX header that is read into memory. Chromium has no limit. Store packages carry the
	// hashes of all their files in it, some 100 bytes per file before compression, so this has room for DefaultFiles.
	maxHeader = 16 << 20
	// maxProofs bounds how often a hostile header makes us verify. Store packages have two or three proofs.
	maxProofs = 32
	// maxKey bounds the cost of one RSA verification; a 16,384-bit key takes 2,086 bytes.
	maxKey = 4096

	fixedLen = 16 // bytes of a CRX2 header before the key; a CRX3 one has 12
)

// Field numbers of CrxFileHeader, AsymmetricKeyProof and SignedData in Chromium's components/crx_file/crx3.proto.
const (
	fieldRSA        protowire.Number = 2
	fieldECDSA      protowire.Number = 3
	fieldSignedData protowire.Number = 10000
	fieldPublicKey  protowire.Number = 1
	fieldSignature  protowire.Number = 2
	fieldID         protowire.Number = 1
)

// A proof is one signature of a CRX3.
type proof struct {
	algorithm protowire.Number // fieldRSA or fieldECDSA
	key       []byte           // DER SubjectPublicKeyInfo
	signature []byte
}

// A header is what a CRX3 says before its ZIP.
type header struct {
	proofs []proof
	signed []byte // serialized SignedData, which the proofs cover
	id     []byte
}

func isCRX(r io.ReaderAt) bool {
	var magic [4]byte
	n, _ := r.ReadAt(magic[:], 0)
	return n == len(magic) && string(magic[:]) == "Cr24"
}

// readCRX reads the header of a CRX and checks its signature. start is where the ZIP begins. An error means that the
// header cannot be read; a signature that does not hold is not an error.
func readCRX(r io.ReaderAt, size int64) (form Form, s Signature, start int64, err error) {
	fixed := make([]byte, fixedLen)
	if n, err := r.ReadAt(fixed, 0); n < fixedLen {
		return FormCRX3, s, 0, fmt.Errorf("its header is cut off: %w", noEOF(err))
	}
	switch version := binary.LittleEndian.Uint32(fixed[4:]); version {
	case 2:
		s, start, err = readCRX2(r, size, fixed)
		return FormCRX2, s, start, err
	case 3:
		s, start, err = readCRX3(r, size, binary.LittleEndian.Uint32(fixed[8:]))
		return FormCRX3, s, start, err
	default:
		return FormCRX3, s, 0, fmt.Errorf("its version is %d, and 2 and 3 are known", version)
	}
}

func readCRX2(r io.ReaderAt, size int64, fixed []byte) (Signature, int64, error) {
	keyLen := binary.LittleEndian.Uint32(fixed[8:])
	signatureLen := binary.LittleEndian.Uint32(fixed[12:])
	if keyLen > maxKey || signatureLen > maxKey {
		return Signature{}, 0, fmt.Errorf("its key has %d and its signature %d bytes, and %d are allowed", keyLen, signatureLen, maxKey)
	}
	data, err := readAt(r, size, fixedLen, int64(keyLen)+int64(signatureLen))
	if err != nil {
		return Signature{}, 0, err
	}
	start := int64(fixedLen + len(data))
	return verifyCRX2(data[:keyLen], data[keyLen:], io.NewSectionReader(r, start, size-start)), start, nil
}

func readCRX3(r io.ReaderAt, size int64, length uint32) (Signature, int64, error) {
	if length > maxHeader {
		return Signature{}, 0, fmt.Errorf("its header claims %d bytes, and %s are allowed", length, bytesText(maxHeader))
	}
	data, err := readAt(r, size, 12, int64(length))
	if err != nil {
		return Signature{}, 0, err
	}
	start := 12 + int64(len(data))
	head, err := parseHeader(data)
	if err != nil {
		// Where the ZIP begins is known all the same.
		return Signature{Reason: err.Error()}, start, nil
	}
	return head.verify(io.NewSectionReader(r, start, size-start)), start, nil
}

// parseHeader reads a serialized CrxFileHeader. Of a field that is given twice and may be there once the last counts, as
// in every protobuf reader.
func parseHeader(data []byte) (*header, error) {
	// The header is not signed; an end-of-directory record in it could make an unpacker read other files. Chromium's
	// crx_verifier.cc refuses both marks.
	if bytes.Contains(data, []byte(endMark)) || bytes.Contains(data, []byte(end64Mark)) {
		return nil, errors.New("the end of a ZIP hides in its header")
	}
	h := &header{}
	err := eachField(data, func(number protowire.Number, value []byte) error {
		switch number {
		case fieldRSA, fieldECDSA:
			if len(h.proofs) == maxProofs {
				return fmt.Errorf("it has more than %d proofs", maxProofs)
			}
			p := proof{algorithm: number}
			h.proofs = append(h.proofs, p)
			return h.proofs[len(h.proofs)-1].parse(value)
		case fieldSignedData:
			h.signed = value
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = eachField(h.signed, func(number protowire.Number, value []byte) error {
		if number == fieldID {
			h.id = value
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (p *proof) parse(data []byte) error {
	return eachField(data, func(number protowire.Number, value []byte) error {
		switch number {
		case fieldPublicKey:
			p.key = value
		case fieldSignature:
			p.signature = value
		}
		return nil
	})
}

// eachField calls f with every length-delimited field of a protobuf message and skips the others.
func eachField(data []byte, f func(protowire.Number, []byte) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("its header is not valid: %w", protowire.ParseError(n))
		}
		data = data[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
				return fmt.Errorf("its header is not valid: %w", protowire.ParseError(n))
			}
			data = data[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return fmt.Errorf("its header is not valid: %w", protowire.ParseError(n))
		}
		data = data[n:]
		if err := f(number, value); err != nil {
			return err
		}
	}
	return nil
}

// readAt reads n bytes that must lie inside the file, before it makes room for them.
func readAt(r io.ReaderAt, size, off, n int64) ([]byte, error) {
	if n > size-off {
		return nil, fmt.Errorf("its header claims %d bytes, and only %d follow", n, size-off)
	}
	data := make([]byte, n)
	if got, err := r.ReadAt(data, off); int64(got) < n {
		return nil, fmt.Errorf("read its header: %w", noEOF(err))
	}
	return data, nil
}

func noEOF(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
