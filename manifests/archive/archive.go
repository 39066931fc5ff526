// Package archive opens every form in which an extension lies on disk - a folder, .zip, .xpi, CRX2 and CRX3 - as one
// bounded, read-only file system.
//
//	a, err := archive.Open(path, archive.Limits{})
//	if err != nil {
//		return err // not a folder, not a package, or nothing of it can be read
//	}
//	defer a.Close()
//	data, err := fs.ReadFile(a, "manifest.json")
//	…
//	problems := a.Problems()
//
// # What a caller gets
//
// An [Archive] is an [fs.FS] for use with fs.ReadFile, fs.ReadDir, fs.Stat and fs.WalkDir, by several goroutines at
// once. Names are slash-separated and relative, as fs.FS wants them; unlike other file systems it also takes names that
// are not UTF-8, because an extension may hold such files. An error from it is one of three kinds:
//
//   - errors.Is(err, fs.ErrNotExist): there is no such file. This is not a problem and is not listed as one.
//   - errors.Is(err, fs.ErrPermission): it is there, and the operating system does not let us read it.
//   - errors.Is(err, ErrRefused): it is there, and we do not read it: a link out of the folder, a FIFO, a file over a
//     limit, an encrypted entry. The error's text is the reason.
//
// Each of the last two, and each other oddity that may make a browser see something else than we do (names given twice,
// bytes before the package, a file that changes while it is read), is added to Problems. A package whose index is whole
// opens even if some of its files cannot be read, so that one bad file never hides the others. Problems grows while files
// are read: ask for it last.
//
// # How the bounds work
//
// Everything here was written by somebody who may want to crash, hang or blind us, so nothing in it is believed: sizes
// are counted on the bytes that really come out, links are never followed out of the folder, nothing but regular files
// and folders is opened. [Limits] bounds files, bytes, ratio and depth; the constants beside it say why each default is
// what it is. Reading the same file again costs nothing of the budget. What does not fit is left out with a Problem, the
// largest files first, so that a script cannot be hidden behind padding.
//
// A folder is read through [os.Root], which on Windows also means that the browser can still rename and delete its files
// while we read them. Reading from a network or FUSE mount that has stopped answering blocks in the kernel; a caller that
// must go on sets itself a time limit.
package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// Form is how the files are packed.
type Form string

const (
	FormFolder Form = "folder"
	FormZip    Form = "zip"
	FormXPI    Form = "xpi" // a ZIP that holds a Mozilla signature, or whose name ends in .xpi
	FormCRX2   Form = "crx2"
	FormCRX3   Form = "crx3"
)

// An Archive is an opened folder or package. It implements manifests.Files; Close releases what Open opened.
type Archive struct {
	manifests.Files
	Form Form
	// Signature is what the signature of a CRX says. It is the zero value for other forms, whose signatures are not checked.
	Signature Signature
}

// Open opens a folder or a package file, told apart by what they are and not by their names. It follows path itself if
// that is a link: for a path that somebody else chose there is OpenRoot.
func Open(path string, limits Limits) (*Archive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, failed(path, err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path + asFolder)
		if err != nil {
			return nil, failed(path, err)
		}
		return newFolder(&near{Root: root}, path, limits), nil
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, failed(path, err)
	}
	// The file is opened through a root for the sake of Windows: os.Open would stop the browser from replacing it.
	root, err := os.OpenRoot(filepath.Dir(target))
	if err != nil {
		return nil, failed(path, err)
	}
	defer root.Close()
	return openFile(root, filepath.Base(target), path, limits)
}

// OpenRoot opens the folder or package called name beneath a root that the caller holds and may close at once. Links in
// name are followed as far as they stay beneath root; links inside the extension, as far as they stay inside it.
func OpenRoot(root *os.Root, name string, limits Limits) (*Archive, error) {
	path := filepath.Join(root.Name(), name)
	info, err := root.Stat(name)
	if err != nil {
		return nil, failed(path, err)
	}
	if !info.IsDir() {
		return openFile(root, name, path, limits)
	}
	sub, err := root.OpenRoot(name + asFolder)
	if err != nil {
		return nil, failed(path, err)
	}
	return newFolder(&near{Root: sub}, path, limits), nil
}

// OpenReader opens a package of size bytes. The caller closes r itself, after the Archive.
func OpenReader(r io.ReaderAt, size int64, limits Limits) (*Archive, error) {
	a, err := openPackage(r, size, "", limits.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open the package: %w", err)
	}
	return a, nil
}

func openFile(root beneath, name, path string, limits Limits) (*Archive, error) {
	file, info, err := openChecked(root, name)
	if err != nil {
		return nil, failed(path, err)
	}
	if info.IsDir() { // it was a file a moment ago
		file.Close()
		return nil, failed(path, refusal("it was replaced by a folder meanwhile"))
	}
	a, err := openPackage(file, info.Size(), path, limits.withDefaults())
	if err != nil {
		file.Close()
		return nil, failed(path, err)
	}
	a.Files = closing{a.Files, file}
	return a, nil
}

// openPackage tells the form by the first bytes and reads the index.
func openPackage(r io.ReaderAt, size int64, path string, limits Limits) (*Archive, error) {
	if size > limits.Bytes {
		return nil, refusal(fmt.Sprintf("it has %s, more than the limit of %s", bytesText(size), bytesText(limits.Bytes)))
	}
	found := &problems{path: path}
	a := &Archive{Form: FormZip}
	var start int64
	if isCRX(r) {
		var err error
		if a.Form, a.Signature, start, err = readCRX(r, size); err != nil {
			// Browsers refuse such a file. We still look for a ZIP in it, to say what somebody tried to install.
			a.Signature.Reason = err.Error()
		}
		if a.Signature.Reason != "" {
			found.add("", "the signature is not verified: "+a.Signature.Reason)
		}
	}
	tree, err := openZip(io.NewSectionReader(r, 0, size), start, found, limits)
	if err != nil && a.Signature.Reason != "" {
		return nil, fmt.Errorf("%s; besides, %w", a.Signature.Reason, err)
	}
	if err != nil {
		return nil, err
	}
	a.Files = tree
	if a.Form == FormZip && (strings.EqualFold(filepath.Ext(path), ".xpi") || tree.has("META-INF/mozilla.rsa") || tree.has("META-INF/cose.sig")) {
		a.Form = FormXPI
	}
	return a, nil
}

// closing closes the package file with the archive.
type closing struct {
	manifests.Files
	file io.Closer
}

// Close implements io.Closer.
func (c closing) Close() error { return c.file.Close() }

// failed says what could not be opened and, of the three kinds of errors, why.
func failed(path string, err error) error {
	reason, cause := explain(err)
	if reason == "" {
		reason = "it is not there"
	}
	return &fs.PathError{Op: "open the extension", Path: shown(path), Err: because{reason, cause}}
}

// because is an error with a text for people.
type because struct {
	text string
	err  error
}

func (b because) Error() string { return b.text }
func (b because) Unwrap() error { return b.err }

// ErrRefused is matched by errors.Is when something is there and is not read, for the reason that the error's text gives.
var ErrRefused = errors.New("refused")

type refusal string

func (r refusal) Error() string        { return string(r) }
func (r refusal) Is(target error) bool { return target == ErrRefused }

func pathError(name string, err error) error {
	return &fs.PathError{Op: "open", Path: shown(name), Err: err}
}
