namespace Graphene;

/// <summary>A window reduction of all elements up to each one, along one dimension.</summary>
/// <param name="Axis">The dimension.</param>
/// <param name="IsExclusive">Whether an element is left out of its own reduction.</param>
/// <param name="IsReverse">Whether the reduction is of all elements from each one on.</param>
internal sealed record RunningWindow(int Axis, bool IsExclusive, bool IsReverse)
{
    /// <summary>The form that a window has over a shape; null when it is any other.</summary>
    public static RunningWindow? TryFind(ReduceWindowOp op, Shape shape)
    {
        int[] moving = [.. Enumerable.Range(0, shape.Rank).Where(axis => !op.Window[axis].IsIdentity)];
        if (moving is not [var along])
        {
            return null;
        }
        WindowDim w = op.Window[along];
        Dim extent = shape[along];
        bool isWhole = w is { Stride: 1, BaseDilation: 1, Dilation: 1 } && w.Size == extent;
        return !isWhole ? null
            : w.Low == extent - 1 && w.High == 0 ? new(along, false, false)
            : w.Low == 0 && w.High == extent - 1 ? new(along, false, true)
            : w.Low == extent && w.High == -1 ? new(along, true, false)
            : w.Low == -1 && w.High == extent ? new(along, true, true)
            : null;
    }
}
