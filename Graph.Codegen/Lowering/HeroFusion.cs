using System.Collections.Immutable;

namespace Graphene.Codegen;

/// <summary>
/// A fusion around one op that has a schedule of its own (the hero: a dot or a convolution): the hero's index space, and each
/// result of the fusion as an expression over the hero's value at that index.
/// </summary>
/// <remarks>
/// The epilogue must use the hero only at its own index, so that it can run on values that are still in registers. When it does
/// not, <see cref="TryCreate"/> declines and the fusion is lowered by its element forms.
/// </remarks>
internal sealed class HeroFusion
{
    private HeroFusion(Node hero, FusionSource source, IndexVariable[] at, CarriedExpr value, ImmutableArray<EpilogueRoot> roots)
    {
        Hero = hero;
        Source = source;
        At = at;
        Value = value;
        Roots = roots;
    }

    /// <summary>The op with a schedule of its own, a node of the fusion's body.</summary>
    public Node Hero { get; }

    /// <summary>The inside of the fusion.</summary>
    public FusionSource Source { get; }

    /// <summary>One counter per dimension of the hero's result, or of what it is pooled to.</summary>
    public IndexVariable[] At { get; }

    /// <summary>Where the hero is asked for: <see cref="At"/>, or a place in the window of a pooling.</summary>
    public required IndexVector HeroAt { get; init; }

    /// <summary>Stands for the hero's value at <see cref="HeroAt"/>.</summary>
    public CarriedExpr Value { get; }

    /// <summary>How windows of the hero's values become the values that are stored; null where each value is.</summary>
    public Pooling? Pooling { get; private init; }

    /// <summary>What is stored at each index.</summary>
    public ImmutableArray<EpilogueRoot> Roots { get; }

    /// <summary>What is to be written around the results besides.</summary>
    public ImmutableArray<Border> Borders { get; private init; } = [];

    /// <summary>Takes a fusion apart, or returns null when it has not the form described above.</summary>
    public static HeroFusion? TryCreate<T>(Node fusion, Func<int, bool> isOverwritten)
        where T : Op
    {
        Node[] heroes = [.. ((FusionOp)fusion.Op).Body.PostOrder().Where(n => n.Op is T)];
        if (heroes is not [var hero])
        {
            return null;
        }
        Node? pool = hero.Op is ConvolutionOp && hero.Operands[0].DType is DType.F32 or DType.F64
            ? ((FusionOp)fusion.Op).Body.PostOrder().FirstOrDefault(n => n.Op is ReduceWindowOp)
            : null;
        IndexVector? heroAt = null;
        CarriedExpr? value = null;
        bool elsewhere = false;
        var source = new FusionSource(fusion, new KernelArguments(), isOverwritten, (node, _, index) =>
        {
            if (!ReferenceEquals(node, hero))
            {
                return null;
            }
            heroAt ??= index;
            elsewhere |= !index.Select((e, i) =>
                ReferenceEquals(e, heroAt[i]) || (hero.Shape[i] == 1 && e.AsConstantIndex == 0)).All(same => same);
            return value;
        });
        Shape shape = (pool ?? hero).Shape;
        IndexVariable[] at = [.. shape.Select((d, i) => source.Factory.Variable($"i{i}", d))];
        heroAt = pool is null ? IndexVector.From(at) : null;
        value = source.Factory.Placeholder(hero.DType);
        var roots = ImmutableArray.CreateBuilder<EpilogueRoot>();
        var borders = ImmutableArray.CreateBuilder<Border>();
        for (int i = 0; i < source.Body.Results.Length; i++)
        {
            Node result = source.Body.Results[i];
            if (Border.Of(result, new KernelOperand.Value(fusion, i)) is { } border && result.Operands[0].Shape.Equals(shape))
            {
                IndexVector moved = IndexVector.From(at.Select((counter, axis) => border.Pad.Low[axis] == 0
                    ? counter : source.Factory.Add(counter, source.Factory.Index(border.Pad.Low[axis]))));
                borders.Add(border);
                roots.Add(new EpilogueRoot(
                    source.Element(result.Operands[0], IndexVector.From(at)), AffineIndex.Of(moved, result.Type), source.Outputs[i]));
                continue;
            }
            if (UpdatedBox.TryFind(source, isOverwritten) is { } box && box.Update.Shape.Equals(shape))
            {
                IndexVector all = IndexVector.From(at);
                roots.Add(new EpilogueRoot(
                    source.Element(box.Update, all), AffineIndex.Of(box.Place(source.Factory, all), result.Type), source.Outputs[i]));
                continue;
            }
            if (result.Shape.ElementCount != shape.ElementCount)
            {
                return null;
            }
            IndexVector index = result.Shape.Equals(shape)
                ? IndexVector.From(at)
                : ReshapeIndexing.Map(source.Factory, result.Shape, shape, IndexVector.From(at));
            roots.Add(new EpilogueRoot(
                source.Element(result, index), AffineIndex.Of(index, result.Type), source.Outputs[i]));
        }
        Pooling? pooling = pool is null ? null : Pooling.Of(
            ((ConvolutionOp)hero.Op).Dimensions, (ReduceWindowOp)pool.Op, source.Element(pool, IndexVector.From(at)));
        bool isCovered = !elsewhere && heroAt is not null && (pool is null || pooling is not null);
        return !isCovered ? null : new HeroFusion(hero, source, at, value, roots.ToImmutable())
        {
            HeroAt = heroAt!,
            Pooling = pooling,
            Borders = borders.ToImmutable(),
        };
    }

    /// <summary>An operand of the hero as an access with fixed strides, or null when it is computed in any other way.</summary>
    public (LoadExpr Load, AffineIndex Index)? OperandAccess(int operand, IndexVector at)
    {
        if (Source.Element(Hero.Operands[operand], at) is not LoadExpr load)
        {
            return null;
        }
        AffineIndex index = AffineIndex.Of(load);
        return index.Opaque.Count == 0 ? (load, index) : null;
    }
}

/// <summary>One result of a hero fusion.</summary>
/// <param name="Element">Its element, in terms of the hero's value.</param>
/// <param name="Store">Where it goes.</param>
/// <param name="Output">The buffer.</param>
internal sealed record EpilogueRoot(ScalarExpr Element, AffineIndex Store, KBuffer Output);
