namespace Graphene.Train;

/// <summary>The errors that training can give.</summary>
public static class TrainDiagnostics
{
    /// <summary>A layer got an input that it does not accept.</summary>
    public static readonly DiagnosticId BadLayerInput = new("GR7001", "layer does not accept its input");

    /// <summary>A layer is used in another graph than the one its weights are in.</summary>
    public static readonly DiagnosticId LayerInOtherGraph = new("GR7002", "layer belongs to another graph");

    /// <summary>A model is asked for something before it was built or compiled.</summary>
    public static readonly DiagnosticId NotCompiled = new("GR7003", "model is not ready");

    /// <summary>Data does not fit the model or each other.</summary>
    public static readonly DiagnosticId BadTrainingData = new("GR7004", "training data does not fit");

    /// <summary>Targets and predictions of a loss or metric do not go together.</summary>
    public static readonly DiagnosticId BadTarget = new("GR7005", "targets do not fit predictions");
}
