// Package wire holds what the providers' decoders share: the reading of a body in one pass into objects whose members are looked
// up and take what providers really send, the reading of timestamps, and the words for what is wrong with a body.
package wire
