"""Trains the model; put your own data and model here, then run `python train.py`."""


def train():
    """Return a fitted classifier and the names of its classes."""
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load_iris()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(data.data, data.target)
    return model, [str(name) for name in data.target_names]


if __name__ == "__main__":
    import joblib

    joblib.dump(train(), "model.joblib")
    print("wrote model.joblib")
