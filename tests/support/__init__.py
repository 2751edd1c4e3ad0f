"""What several tests share: generators of models, the layers of the sources, judgements."""
