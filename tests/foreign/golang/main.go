// Checks a log that Glasshouse published with software that nobody here wrote: golang.org/x/mod/sumdb, the code by which
// Go checks its own checksum database. Nothing of Glasshouse is used, only what it wrote as files.
//
//	verify FOLDER VKEY [RECEIPT…]
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// published reads tiles where C2SP tlog-tiles puts them: as the checksum database does, but for the height in the path.
type published struct{ folder string }

func (p published) Height() int                     { return height }
func (p published) SaveTiles([]tlog.Tile, [][]byte) {}

func (p published) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		content, err := os.ReadFile(filepath.Join(p.folder, path))
		if err != nil {
			return nil, err
		}
		read = append(read, content)
	}
	return read, nil
}

// openCheckpoint gives the tree that a checkpoint signs.
func openCheckpoint(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// entries reads the bundles: each entry after its length, 16 bits, big-endian.
func entries(folder string, size int64) ([][]byte, error) {
	var all [][]byte
	for first := int64(0); first < size; first += 1 << height {
		width := size - first
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for len(bundle) > 0 {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s breaks off", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			all, bundle = append(all, bundle[2:end]), bundle[end:]
		}
	}
	if int64(len(all)) != size {
		return nil, fmt.Errorf("%d entries, and %d were signed for", len(all), size)
	}
	return all, nil
}

// checkReceipt checks the tlog-proof in a receipt, and that the tree it was made in is a beginning of the newer one.
func checkReceipt(receipt []byte, verifier note.Verifier, newest tlog.Tree, hashes tlog.HashReader) error {
	entry, proof, found := strings.Cut(string(receipt), "\n\nc2sp.org/tlog-proof@v1\n")
	head, signed, cut := strings.Cut(proof, "\n\n")
	if !found || !cut {
		return fmt.Errorf("no tlog-proof")
	}
	leaf := strings.TrimPrefix(strings.Split(entry, "\n")[1], "leaf ")
	lines := strings.Split(head, "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		node, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, node)
	}
	tree, err := openCheckpoint([]byte(signed), verifier)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash([]byte(leaf))); err != nil {
		return err
	}
	growth, err := tlog.ProveTree(newest.N, tree.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(growth, newest.N, newest.Hash, tree.N, tree.Hash)
}

func verify(folder, vkey string, receipts []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(signed, verifier)
	if err != nil {
		return err
	}
	// The reader checks each tile that it reads against the signed root.
	hashes := tlog.TileHashReader(tree, published{folder})
	all, err := entries(folder, tree.N)
	if err != nil {
		return err
	}
	for index, entry := range all {
		stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
		if err != nil {
			return err
		}
		if stored[0] != tlog.RecordHash(entry) {
			return fmt.Errorf("entry %d is not the one that was signed for", index)
		}
	}
	for _, path := range receipts {
		receipt, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := checkReceipt(receipt, verifier, tree, hashes); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	fmt.Printf("sound: %d entries, %d receipts\n", tree.N, len(receipts))
	return nil
}

func main() {
	if err := verify(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
