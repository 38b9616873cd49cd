package chunk

import (
	"encoding/binary"
	"hash/crc32"
)

// AppendRecord adds a record to the image of the log with a number, and returns the image.
func AppendRecord(image []byte, number uint64, record []byte) []byte {
	for first := true; ; first = false {
		image = padLog(image)
		room := blockBytes - len(image)%blockBytes - logHeaderBytes
		part := record[:min(room, len(record))]
		record = record[len(part):]
		last := len(record) == 0
		position := 2
		switch {
		case first && last:
			position = 0
		case first:
			position = 1
		case last:
			position = 3
		}
		image = appendChunk(image, logChunk+byte(position), number, part)
		if last {
			return image
		}
	}
}

func appendChunk(image []byte, kind byte, number uint64, data []byte) []byte {
	from := len(image)
	image = append(image, 0, 0, 0, 0)
	image = binary.LittleEndian.AppendUint16(image, uint16(len(data)))
	image = append(image, kind)
	image = binary.LittleEndian.AppendUint32(image, uint32(number))
	image = append(image, data...)
	binary.LittleEndian.PutUint32(image[from:], MaskCRC(crc32.Checksum(image[from+6:], Castagnoli())))
	return image
}

// AppendTrailer ends the image of the log with a number as one that was closed.
func AppendTrailer(image []byte, number uint64) []byte {
	return binary.LittleEndian.AppendUint32(append(padLog(image), 0, 0, 0, 0, 0, 0, logChunk), uint32(number)+1)
}

// padLog ends a block in which no header fits.
func padLog(image []byte) []byte {
	if room := blockBytes - len(image)%blockBytes; room < logHeaderBytes {
		return append(image, make([]byte, room)...)
	}
	return image
}
