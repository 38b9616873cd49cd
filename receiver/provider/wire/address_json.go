package wire

import "strings"

// maxAddressDepth is how many lists and groups may lie in one another: a list of groups of lists has three levels.
const maxAddressDepth = 8

// Address returns the first bare address in a member, in any of the forms that [Object.Mailboxes] reads; "" when there is none.
func (o Object) Address(name string) string {
	if value := o.JSON(name); strings.HasPrefix(value, `"`) && !strings.HasPrefix(value, `"[`) {
		return Address(textOf(value))
	}
	if boxes := o.Mailboxes(name); len(boxes) > 0 {
		return boxes[0].Address
	}
	return ""
}

// Addresses returns the bare addresses in a member, in any of the forms that [Object.Mailboxes] reads.
func (o Object) Addresses(name string) []string { return bare(o.Mailboxes(name)) }

// Mailboxes returns the mailboxes in a member: a text, with one or a list of them; an object with an address and a name, or with the
// mailboxes of a group; or a list of any of these.
func (o Object) Mailboxes(name string) []Mailbox { return o.doubt.mailboxes(o.JSON(name), 0) }

// mailboxes returns the mailboxes in the JSON of a member, and takes note of what they leave in doubt.
func (d *doubt) mailboxes(value string, depth int) []Mailbox {
	switch {
	case value == "" || depth == maxAddressDepth:
		return nil
	case value[0] == '{':
		return d.object(value).mailbox(depth)
	case value[0] == '[':
		var boxes []Mailbox
		for element := range elements(value) {
			if text := textOf(element); isPlain(text) {
				boxes = append(boxes, Mailbox{Address: lowerDomain(text)})
			} else {
				boxes = append(boxes, d.mailboxes(element, depth+1)...)
			}
			if len(boxes) > MaxRecipients {
				break
			}
		}
		return boxes[:min(len(boxes), MaxRecipients+1)]
	}
	text := textOf(value)
	if strings.HasPrefix(text, "[") && isJSON(text) {
		return d.mailboxes(text, depth+1)
	}
	return Mailboxes(text)
}

// mailbox returns the mailboxes that an object stands for. The names of its members are those of nodemailer ("address", "group"), of
// mailparser and of its delivery reports ("value"), and of most APIs ("email").
func (o Object) mailbox(depth int) []Mailbox {
	var boxes []Mailbox
	for _, name := range []string{"address", "email", "value"} {
		boxes = append(boxes, o.doubt.mailboxes(o.JSON(name), depth+1)...)
	}
	if name := o.Text("name"); name != "" && len(boxes) == 1 {
		boxes[0].Name = name
	}
	return append(boxes, o.doubt.mailboxes(o.JSON("group"), depth+1)...)
}
