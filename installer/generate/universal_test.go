package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// thin writes a Mach-O file of a processor: its header, and size bytes of something.
func thin(t *testing.T, cpu macho.Cpu, sub uint32, size int) (name string, data []byte) {
	t.Helper()
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, macho.FileHeader{Magic: macho.Magic64, Cpu: cpu, SubCpu: sub, Type: macho.TypeExec})
	b.Write(make([]byte, 4)) // the header of 64 bits ends with a reserved word
	b.Write(bytes.Repeat([]byte{byte(cpu)}, size))
	name = filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, b.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return name, b.Bytes()
}

func TestUniversal(t *testing.T) {
	for name, sizes := range map[string][2]int{
		"short":                   {10, 20},
		"ends on a page":          {16384 - 32, 100},
		"a byte more than a page": {16384 - 31, 16384},
		"several pages":           {100_000, 70_001},
	} {
		t.Run(name, func(t *testing.T) {
			intel, first := thin(t, macho.CpuAmd64, 3, sizes[0])
			arm, second := thin(t, macho.CpuArm64, 0, sizes[1])
			out := filepath.Join(t.TempDir(), "both")
			if err := universal(out, intel, arm); err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			fat, err := macho.NewFatFile(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if len(fat.Arches) != 2 || fat.Arches[0].Cpu != macho.CpuAmd64 || fat.Arches[1].Cpu != macho.CpuArm64 {
				t.Fatalf("processors: %+v", fat.Arches)
			}
			for i, want := range [][]byte{first, second} {
				a := fat.Arches[i]
				if a.Offset%(1<<14) != 0 || a.Align != 14 {
					t.Errorf("part %d begins at %d: macOS wants pages of 16 KiB", i, a.Offset)
				}
				if !bytes.Equal(file[a.Offset:a.Offset+a.Size], want) {
					t.Errorf("part %d is not the program that was put in", i)
				}
			}
			if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("its mode is %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestUniversalRefuses(t *testing.T) {
	good, _ := thin(t, macho.CpuArm64, 0, 10)
	elf := filepath.Join(t.TempDir(), "elf")
	if err := os.WriteFile(elf, []byte("\x7fELF, and more of it"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "both")
	if err := universal(out, good, elf); err == nil || !strings.Contains(err.Error(), "not a Mach-O file") {
		t.Errorf("an ELF file: %v", err)
	}
	if err := universal(out, good, elf+"-missing"); err == nil {
		t.Error("a missing file is no error")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written in spite of the error")
	}
}
