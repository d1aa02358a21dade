"""Why an answer is what it is: grouped contributions, counterfactuals, fidelity, attributions and pictures."""
