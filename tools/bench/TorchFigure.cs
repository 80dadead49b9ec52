namespace Graphene.Bench;

/// <summary>What PyTorch reported about one workload in one mode.</summary>
/// <param name="MedianMs">The median run.</param>
/// <param name="FirstLoss">The loss of the first step; null for what does not train.</param>
/// <param name="LastLoss">The loss of the last step; null for what does not train.</param>
internal sealed record TorchFigure(double MedianMs, double? FirstLoss, double? LastLoss);
