package reader

import (
	"context"
	"io"
	"io/fs"
	"slices"

	"github.com/extwatch/extwatch/manifests"
)

// files are those of an extension that the child has opened.
type files struct {
	c  *child
	id int
}

func (f *files) ask(q request, value any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), f.c.cfg.patience)
	defer cancel()
	q.Files = f.id
	data, err := f.c.askData(ctx, q, value)
	if ctx.Err() != nil {
		f.c.kill() // it hangs: what else it was to do is asked of another
	}
	return data, err
}

func (f *files) Close() error {
	_, err := f.ask(request{Op: opClose}, nil)
	return err
}

// Problems returns nothing when the child has ended: then each file has said so.
func (f *files) Problems() []manifests.Problem {
	var list []manifests.Problem
	if _, err := f.ask(request{Op: opProblems}, &list); err != nil {
		return nil
	}
	return list
}

func (f *files) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	var i info
	_, err := f.ask(request{Op: opStat, Name: name}, &i)
	return i, err
}

func (f *files) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	var list []info
	if _, err := f.ask(request{Op: opList, Name: name}, &list); err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, 0, len(list))
	for _, i := range list {
		if !fs.ValidPath(i.N) || i.N == "." { // a name that is no name of a file in this folder
			continue
		}
		entries = append(entries, i)
	}
	return entries, nil
}

func (f *files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	var a fileAnswer
	data, err := f.ask(request{Op: opFile, Name: name}, &a)
	if err != nil {
		return nil, err
	}
	if a.Info.IsDir() {
		return &folder{info: a.Info, files: f, name: name}, nil
	}
	return &file{files: f, id: a.File, info: a.Info, data: data}, nil
}

// A file is one that was opened; its first bytes have come with the answer.
type file struct {
	files *files
	id    int // 0: what is in data is all there is
	info  info
	data  []byte
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *file) Read(p []byte) (int, error) {
	if len(f.data) == 0 && f.id != 0 {
		var a fileAnswer
		data, err := f.files.ask(request{Op: opMore, File: f.id}, &a)
		if err != nil {
			return 0, err
		}
		f.data, f.id = data, a.File
	}
	if len(f.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

func (f *file) Close() error {
	if f.id == 0 {
		return nil
	}
	id := f.id
	f.id = 0
	_, err := f.files.ask(request{Op: opDone, File: id}, nil)
	return err
}

// A folder is one that was opened as a file.
type folder struct {
	info  info
	files *files
	name  string
	rest  []fs.DirEntry
	read  bool
}

func (d *folder) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *folder) Close() error               { return nil }
func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		list, err := d.files.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.rest, d.read = list, true
	}
	if n <= 0 || n > len(d.rest) {
		if n > 0 && len(d.rest) == 0 {
			return nil, io.EOF
		}
		n = len(d.rest)
	}
	out := slices.Clone(d.rest[:n])
	d.rest = d.rest[n:]
	return out, nil
}
