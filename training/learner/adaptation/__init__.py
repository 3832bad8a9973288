"""Learn corrections without forgetting: the preset `adapt`, which begins with the model in service.

The model in service is the teacher. It keeps what it knows because most pictures of an epoch are replayed digits with
the teacher's own probabilities as their targets (Li, Hoiem: Learning without Forgetting, ECCV 2016). They are chosen
where the teacher is least sure, since these change first (Aljundi and others: Online Continual Learning with Maximal
Interfered Retrieval, NeurIPS 2019). In the end the new weights are averaged with the teacher's (Wortsman and others:
Robust fine-tuning of zero-shot models, CVPR 2022).
"""
