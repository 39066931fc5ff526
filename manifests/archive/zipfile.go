package archive

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// Close implements io.Closer; the package file belongs to who opened it.
func (t *zipTree) Close() error { return nil }

// Open implements fs.FS.
func (t *zipTree) Open(name string) (fs.File, error) {
	if err := t.limits.checkName(name); err != nil {
		t.add(name, err.Error())
		return nil, pathError(name, err)
	}
	if list, ok := t.folders[name]; ok {
		return &zipList{zipInfo: zipInfo{name, nil}, list: list}, nil
	}
	if err := t.refused[name]; err != nil {
		return nil, pathError(name, err)
	}
	entry := t.files[name]
	if entry == nil {
		return nil, pathError(name, fs.ErrNotExist)
	}
	data, err := entry.Open()
	if err != nil {
		t.add(name, "it cannot be unpacked: "+err.Error())
		return nil, pathError(name, err)
	}
	return &zipFile{zipInfo: zipInfo{name, entry}, of: t, data: data}, nil
}

// A zipFile is an open entry.
type zipFile struct {
	zipInfo
	of     *zipTree
	data   io.ReadCloser
	closed bool
}

func (f *zipFile) Stat() (fs.FileInfo, error) { return f.zipInfo, nil }

// Close implements fs.File. A second call must not put the same inflater into the pool twice.
func (f *zipFile) Close() error {
	if f.closed {
		return pathError(f.name, fs.ErrClosed)
	}
	f.closed = true
	return f.data.Close()
}

// Read reads no more than the size in the package's directory, which is within the limits: package archive/zip makes
// more an error. A wrong checksum is a problem and no error, since a reader that does not check it would run the file.
func (f *zipFile) Read(p []byte) (int, error) {
	if f.closed {
		return 0, pathError(f.name, fs.ErrClosed)
	}
	n, err := f.data.Read(p)
	switch {
	case err == nil, err == io.EOF:
		return n, err
	case errors.Is(err, zip.ErrChecksum):
		f.of.add(f.name, "its checksum is wrong")
		return n, io.EOF
	}
	f.of.add(f.name, "it cannot be unpacked: "+err.Error())
	return n, &fs.PathError{Op: "read", Path: shown(f.name), Err: err}
}

// A zipList is an open folder.
type zipList struct {
	zipInfo
	list []fs.DirEntry
}

func (l *zipList) Stat() (fs.FileInfo, error) { return l.zipInfo, nil }
func (l *zipList) Close() error               { return nil }

func (l *zipList) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: shown(l.name), Err: errors.New("is a folder")}
}

// ReadDir implements fs.ReadDirFile.
func (l *zipList) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(l.list)
	} else if len(l.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(l.list))
	out := append([]fs.DirEntry(nil), l.list[:n]...)
	l.list = l.list[n:]
	return out, nil
}

// A zipInfo describes a file, or a folder when entry is nil. It is both fs.FileInfo and fs.DirEntry.
type zipInfo struct {
	name  string
	entry *zip.File
}

func (i zipInfo) Name() string               { return path.Base(i.name) }
func (i zipInfo) IsDir() bool                { return i.entry == nil }
func (i zipInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i zipInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i zipInfo) Sys() any                   { return nil }

func (i zipInfo) Mode() fs.FileMode {
	if i.entry == nil {
		return fs.ModeDir | 0o555
	}
	return 0o444 // what the package says about rights means nothing here
}

func (i zipInfo) Size() int64 {
	if i.entry == nil {
		return 0
	}
	return int64(i.entry.UncompressedSize64)
}

func (i zipInfo) ModTime() time.Time {
	if i.entry == nil {
		return time.Time{}
	}
	return i.entry.Modified
}
