using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Keeps the features of images together in memory where convolutions are, and changes the order only at the borders.</summary>
/// <remarks>
/// <code>
/// x[b,f,y,x] -> convolution -> maximum -> pooling -> reduce(y, x)
///   =>  transpose -> convolution[b,y,x,f] -> maximum[b,y,x,f] -> pooling[b,y,x,f] -> reduce(y, x)
/// </code>
/// With features as the fastest dimension a convolution is a matrix product that reads its input where it lies, and vector lanes are
/// full whatever the size of the image. Ops that work the same in any order (elementwise ones, windows, pads, slices, joins,
/// reductions) take over the order of their operands; every other op gets the order it was written for. Buffers are row-major, so
/// an order is a logical transpose: those that meet cancel, those of constants are computed while compiling. Exact.
/// </remarks>
public sealed class LayoutAssignment() : GraphPass("layout-assignment")
{
    // Fewer features leave most lanes of a vector empty.
    private const int FewestFeatures = 5;

    /// <inheritdoc/>
    public override Module Run(Module module, PassContext context) => ComputationRewriter.Rewrite(
        module,
        (computation, _) => computation.PostOrder().Any(ProfitsFromFeaturesLast)
            ? new Assigner(module.Provenance, context).Run(computation)
            : computation);

    private static bool ProfitsFromFeaturesLast(Node node)
    {
        if (node.Op is not ConvolutionOp { BatchGroups: 1 } op || op.Window.Any(w => w.BaseDilation != 1 || w.Reversed) ||
            op.Dimensions == InOrder(op, node.Operands[1]) || IsKernelGradient(op, node))
        {
            return false;
        }
        Dim features = node.Shape[op.Dimensions.ResultFeature];
        Dim perGroup = op.IsDepthwise(node.Operands[1].Type) ? features : Dim.FloorDiv(features, op.FeatureGroups);
        return !perGroup.IsStatic || perGroup.Value >= FewestFeatures;
    }

    // The gradient by a kernel, of images with features last: its rows (kernel position, input feature) are as consecutive in the input as
    // its columns are in the other operand. It is a product of both where they lie, and a transpose of either would be all that it adds.
    private static bool IsKernelGradient(ConvolutionOp op, Node node) => op.FeatureGroups == 1
        && op.Dimensions.LhsBatch == node.Operands[0].Rank - 1 && op.Dimensions.RhsOutputFeature == node.Operands[1].Rank - 1
        && op.Dimensions.ResultFeature == node.Rank - 1;

    // A constant kernel is packed while compiling, from any order; others must have their output features together.
    private static bool KeepsKernel(ConvolutionOp op, Node kernel) => kernel.Op is ConstantOp && !op.IsDepthwise(kernel.Type);

    private static ConvolutionDimensions InOrder(ConvolutionOp op, Node kernel)
    {
        ConvolutionDimensions last = ConvolutionDimensions.ChannelsLast(op.Dimensions.SpatialRank);
        return !KeepsKernel(op, kernel) ? last : last with
        {
            RhsInputFeature = op.Dimensions.RhsInputFeature,
            RhsOutputFeature = op.Dimensions.RhsOutputFeature,
            RhsSpatial = op.Dimensions.RhsSpatial,
        };
    }

    /// <summary>A value in the new graph: the old one, its dimensions in another order; null for the order it had.</summary>
    private sealed record Placed(Node Node, Axes? Order)
    {
        public static Placed In(Node node, Axes order) => new(node, order.IsIdentity ? null : order);
    }

    private sealed class Assigner(ProvenanceTable provenance, PassContext context)
    {
        private readonly GraphBuilder _b = new(provenance);
        private readonly Dictionary<Node, Placed> _placed = new(ReferenceEqualityComparer.Instance);

        public Computation Run(Computation computation)
        {
            foreach (Node parameter in computation.Parameters)
            {
                Add(parameter, new Placed(_b.Parameter(((ParameterOp)parameter.Op).Number, parameter.Type), null));
            }
            foreach (Node node in computation.PostOrder().Where(n => n.Op is not ParameterOp))
            {
                Add(node, Place(node));
            }
            return _b.Build(
                computation.Name, computation.Results.Select(r => Get(r, null)), computation.Effects.Select(e => Get(e, null)));
        }

        private void Add(Node node, Placed placed)
        {
            _placed.Add(node, placed);
            provenance.Inherit(placed.Node, node);
        }

        // The new value of an old node, its dimensions in the order that is asked for.
        private Node Get(Node old, Axes? order)
        {
            Placed placed = _placed[old];
            if (order is not null && old.Rank != order.Count)
            {
                order = null; // a scalar beside tensors
            }
            if (Equals(placed.Order, order))
            {
                return placed.Node;
            }
            Node plain = placed.Order is null ? placed.Node : _b.Transpose(placed.Node, placed.Order.Inverse());
            return order is null ? plain : _b.Transpose(plain, order);
        }

        private Placed Place(Node node)
        {
            if (node.Op is ConvolutionOp convolution && ProfitsFromFeaturesLast(node) &&
                context.TryTakeRewrite(() => $"features of {node} last"))
            {
                return PlaceConvolution(node, convolution);
            }
            Axes? order = node.Types.Length != 1 ? null : node.Operands
                .Where(o => o.Types.Length == 1 && (o.Rank == node.Rank || node.Op is ReduceOp or BroadcastInDimOp or ReshapeOp))
                .Select(o => _placed[o].Order)
                .FirstOrDefault(o => o is not null);
            return (order is null ? null : Follow(node, order)) ??
                new Placed(_b.Add(node.Op, [.. node.Operands.Select(o => Get(o, null))]), null);
        }

        private Placed PlaceConvolution(Node node, ConvolutionOp op)
        {
            ConvolutionDimensions d = op.Dimensions;
            Node kernel = node.Operands[1];
            Node x = Get(node.Operands[0], NullIfIdentity([d.LhsBatch, .. d.LhsSpatial, d.LhsFeature]));
            Node w = Get(kernel, KeepsKernel(op, kernel) ? null : NullIfIdentity([.. d.RhsSpatial, d.RhsInputFeature, d.RhsOutputFeature]));
            return Placed.In(
                _b.Add(op with { Dimensions = InOrder(op, kernel) }, x, w), [d.ResultBatch, .. d.ResultSpatial, d.ResultFeature]);
        }

        // The op in the order of its operands; null when it cannot work in another order than the one it was written for.
        private Placed? Follow(Node node, Axes order)
        {
            Node[] Operands() => [.. node.Operands.Select(o => Get(o, order))];

            Placed Same(Op op) => new(_b.Add(op, Operands()), order);

            return node.Op switch
            {
                { IsElementwise: true } => Same(node.Op),
                ReduceWindowOp op => Same(op with { Window = Permute(op.Window, order) }),
                PadOp op => Same(new PadOp(Permute(op.Low, order), Permute(op.High, order), Permute(op.Interior, order))),
                SliceOp op => Same(new SliceOp(Permute(op.Starts, order), Permute(op.Limits, order), Permute(op.Strides, order))),
                ReverseOp op => Same(new ReverseOp(Axes.From(op.Dimensions.Select(order.IndexOf)))),
                ConcatenateOp op => Same(new ConcatenateOp(order.IndexOf(op.Dimension))),
                BroadcastInDimOp op => FollowBroadcast(node, op, order),
                ReshapeOp => FollowReshape(node, order),
                TransposeOp op => Placed.In(Get(node.Operands[0], order), Axes.From(order.Select(op.Permutation.IndexOf))),
                ReduceOp op when node.Operands[0].Rank == order.Count => FollowReduction(node, op, order),
                _ => null,
            };
        }

        private Placed FollowReduction(Node node, ReduceOp op, Axes order)
        {
            Node[] operands = [.. node.Operands.Select(o => Get(o, order))];
            int[] kept = [.. order.Where(axis => !op.Dimensions.Contains(axis))];
            Node reduced = _b.Add(
                op with { Dimensions = Axes.From(op.Dimensions.Select(order.IndexOf).Order()) }, operands);
            return Placed.In(reduced, Axes.From(kept.Select(axis => Array.IndexOf([.. kept.Order()], axis))));
        }

        // The dimension that the operand has last is last in the result, too.
        private Placed FollowBroadcast(Node node, BroadcastInDimOp op, Axes order)
        {
            Axes after = MovedLast(node.Rank, op.BroadcastDimensions[order[^1]]);
            return Placed.In(
                _b.BroadcastInDim(
                    Get(node.Operands[0], order),
                    Shape.From(after.Select(axis => op.Shape[axis])),
                    Axes.From(order.Select(axis => after.IndexOf(op.BroadcastDimensions[axis])))),
                after);
        }

        // A reshape of the other dimensions leaves alone the one that was moved last, if that has a counterpart of its own, or is cut.
        private Placed? FollowReshape(Node node, Axes order)
        {
            Shape from = node.Operands[0].Shape;
            int moved = order[^1];
            if (!order.Equals(MovedLast(order.Count, moved)))
            {
                return null;
            }
            Dim before = Count(from.Take(moved));
            for (int axis = 0; axis < node.Rank; axis++)
            {
                if (node.Shape[axis].ProvablyEquals(from[moved]) && Count(node.Shape.Take(axis)).ProvablyEquals(before))
                {
                    Axes after = MovedLast(node.Rank, axis);
                    return Placed.In(
                        _b.Reshape(Get(node.Operands[0], order), Shape.From(after.Select(a => node.Shape[a]))), after);
                }
            }
            return FollowCut(node, order, moved, before);
        }

        // The pieces of the dimension that was moved last are last together: groups of channels, for one. No dimension of size 1 before them is one.
        private Placed? FollowCut(Node node, Axes order, int moved, Dim before)
        {
            for (int axis = node.Rank - 2; axis >= 0; axis--)
            {
                for (int count = 2; axis + count <= node.Rank && Count(node.Shape.Take(axis)).ProvablyEquals(before); count++)
                {
                    if (Count(node.Shape.Skip(axis).Take(count)).ProvablyEquals(node.Operands[0].Shape[moved]))
                    {
                        Axes pieces = Axes.Range(axis, count);
                        Axes after = [.. pieces.Complement(node.Rank), .. pieces];
                        return Placed.In(
                            _b.Reshape(Get(node.Operands[0], order), Shape.From(after.Select(a => node.Shape[a]))), after);
                    }
                }
            }
            return null;
        }

        private static Dim Count(IEnumerable<Dim> dims) => dims.Aggregate((Dim)1, (count, d) => count * d);

        private static Axes MovedLast(int rank, int axis) => [.. Enumerable.Range(0, rank).Where(a => a != axis), axis];

        private static Axes? NullIfIdentity(Axes order) => order.IsIdentity ? null : order;

        private static ValueList<T> Permute<T>(ValueList<T> list, Axes order)
            where T : IEquatable<T> => [.. order.Select(axis => list[axis])];
    }
}
