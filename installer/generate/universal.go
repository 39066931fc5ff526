package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"os"
)

// universal joins two Mach-O files to one that runs on both processors. The format is a table of fat_arch in big-endian
// order, then the files, each on a boundary of 16 KiB (<mach-o/fat.h>).
func universal(out string, in ...string) error {
	const align = 14 // as a power of two: the page of arm64
	var table, body bytes.Buffer
	header := []uint32{macho.MagicFat, uint32(len(in))}
	offset := uint32(1 << align)
	for _, name := range in {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := macho.NewFile(bytes.NewReader(data))
		if err != nil {
			return fmt.Errorf("%s is not a Mach-O file: %w", name, err)
		}
		binary.Write(&table, binary.BigEndian, []uint32{uint32(f.Cpu), f.SubCpu, offset, uint32(len(data)), align})
		body.Write(data)
		padding := (1<<align - len(data)%(1<<align)) % (1 << align)
		body.Write(make([]byte, padding))
		offset += uint32(len(data) + padding)
	}
	var file bytes.Buffer
	binary.Write(&file, binary.BigEndian, header)
	file.Write(table.Bytes())
	file.Write(make([]byte, 1<<align-file.Len()))
	file.Write(body.Bytes())
	return os.WriteFile(out, file.Bytes(), 0o755)
}
