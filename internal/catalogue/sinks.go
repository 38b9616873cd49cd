package catalogue

// Sinks returns every kind of sink, in the order in which they are listed to people.
func Sinks() []Sink {
	return []Sink{
		{Type: "HTTP", Title: "HTTP", Summary: "a URL, as CloudEvents, signed if you like"},
		{Type: "Kafka", Title: "Kafka", Summary: "topics of Kafka, and of Azure Event Hubs, Amazon MSK, Redpanda and Confluent"},
		{Type: "NATS", Title: "NATS", Summary: "streams of JetStream, under subjects of your choice"},
		{Type: "PostgreSQL", Title: "PostgreSQL", Summary: "a table, with columns to query"},
		{Type: "RabbitMQ", Title: "RabbitMQ", Summary: "an exchange of RabbitMQ, with confirms"},
		{Type: "Redis", Title: "Redis", Summary: "streams of Redis"},
		{Type: "S3", Title: "S3", Summary: "objects of Amazon S3 and of storage like it, as lines of JSON by type and date"},
		{Type: "SQS", Title: "SQS", Summary: "queues of Amazon SQS, standard and FIFO"},
		{Type: "SNS", Title: "SNS", Summary: "topics of Amazon SNS, standard and FIFO"},
		{Type: "EventBridge", Title: "EventBridge", Summary: "event buses of Amazon EventBridge"},
		{Type: "PubSub", Title: "PubSub", Summary: "topics of Google Pub/Sub, with ordering keys"},
		{Type: "Suppression", Title: "Suppression", Summary: "a list of addresses that should get no more mail, in PostgreSQL or Redis"},
		{Type: "Stdout", Title: "Stdout", Summary: "the receiver's standard output", Bare: true},
		{Type: "File", Title: "File", Summary: "a file of the receiver"},
	}
}
