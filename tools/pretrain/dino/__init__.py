"""DINO self-supervised pretraining of vision transformers for cells; see ../README.md."""
