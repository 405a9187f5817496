"""Reference mean and covariance of the penguin posterior: makes penguins_posterior.csv.

    python reference.py > penguins_posterior.csv        (numpy, scipy; a minute or two)

Importance sampling from a multivariate Student-t (8 degrees of freedom) at the Laplace approximation, 16 replicates of
2^18 scrambled Sobol points; the spread of the replicates gives the Monte Carlo error, printed on stderr. First row of
the result: the mean; then the covariance, row by row.
"""

import pathlib
import sys

import numpy as np
from scipy.optimize import minimize
from scipy.stats import chi2, norm, qmc

NU, REPLICATES, LOG2_POINTS = 8, 16, 18
table = np.loadtxt(pathlib.Path(__file__).with_name("penguins.csv"), delimiter=",", skiprows=1)
species, y = table[:, 0], table[:, 1]
measured = table[:, [5, 4, 3, 2]]
measured = (measured - measured.mean(0)) / measured.std(0)
X = np.column_stack([np.ones(len(y)), measured, species == 1, species == 2])
d = X.shape[1]


def log_density(theta):
    z = theta @ X.T
    return (y * z - np.logaddexp(0, z)).sum(-1) - 0.5 * (theta**2).sum(-1)


def minus_gradient(theta):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) + theta


mode = minimize(lambda t: -log_density(t), np.zeros(d), jac=minus_gradient, method="BFGS", options={"gtol": 1e-10}).x
p = 1 / (1 + np.exp(-X @ mode))
root = np.linalg.cholesky(np.linalg.inv((X * (p * (1 - p))[:, None]).T @ X + np.eye(d)))

means, covariances, efficiencies = [], [], []
for replicate in range(REPLICATES):
    u = qmc.Sobol(d + 1, seed=replicate).random_base2(LOG2_POINTS)
    u = np.clip(u, 1e-12, 1 - 1e-12)
    z = norm.ppf(u[:, :d]) * np.sqrt(NU / chi2.ppf(u[:, d], NU))[:, None]
    theta = mode + z @ root.T
    log_w = np.concatenate([log_density(t) for t in np.array_split(theta, 64)])
    log_w += 0.5 * (NU + d) * np.log1p((z**2).sum(1) / NU)
    w = np.exp(log_w - log_w.max())
    w /= w.sum()
    mean = w @ theta
    centred = theta - mean
    means.append(mean)
    covariances.append((centred * w[:, None]).T @ centred)
    efficiencies.append(1 / (w**2).sum() / len(w))

mean, covariance = np.mean(means, 0), np.mean(covariances, 0)
sd = np.sqrt(np.diag(covariance))
error = lambda a: np.std(a, 0, ddof=1) / np.sqrt(REPLICATES)
print(f"effective sample size / draws: {np.mean(efficiencies):.3f}", file=sys.stderr)
print(f"mean: largest error {np.max(error(means) / sd):.1e} posterior sd", file=sys.stderr)
print(f"covariance: largest error {np.max(error(covariances) / np.outer(sd, sd)):.1e} of sd sd'", file=sys.stderr)
print(f"mode - mean, in sd: {np.round((mode - mean) / sd, 3)}", file=sys.stderr)
for row in [mean, *covariance]:
    print(",".join(f"{v:.7f}" for v in row))
