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

    /// <summary>One counter per dimension of the hero's result.</summary>
    public IndexVariable[] At { get; }

    /// <summary>Stands for the hero's value at <see cref="At"/>.</summary>
    public CarriedExpr Value { get; }

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
        IndexVariable[] at = [];
        CarriedExpr? value = null;
        bool elsewhere = false;
        var source = new FusionSource(fusion, new KernelArguments(), isOverwritten, (node, _, index) =>
        {
            if (!ReferenceEquals(node, hero))
            {
                return null;
            }
            elsewhere |= !index.Select((e, i) =>
                ReferenceEquals(e, at[i]) || (at[i].Extent == 1 && e.AsConstantIndex == 0)).All(same => same);
            return value;
        });
        at = [.. hero.Shape.Select((d, i) => source.Factory.Variable($"i{i}", d))];
        value = source.Factory.Placeholder(hero.DType);
        var roots = ImmutableArray.CreateBuilder<EpilogueRoot>();
        var borders = ImmutableArray.CreateBuilder<Border>();
        for (int i = 0; i < source.Body.Results.Length; i++)
        {
            Node result = source.Body.Results[i];
            if (Border.Of(result, new KernelOperand.Value(fusion, i)) is { } border && result.Operands[0].Shape.Equals(hero.Shape))
            {
                IndexVector moved = IndexVector.From(at.Select((counter, axis) => border.Pad.Low[axis] == 0
                    ? counter : source.Factory.Add(counter, source.Factory.Index(border.Pad.Low[axis]))));
                borders.Add(border);
                roots.Add(new EpilogueRoot(
                    source.Element(result.Operands[0], IndexVector.From(at)), AffineIndex.Of(moved, result.Type), source.Outputs[i]));
                continue;
            }
            if (UpdatedBox.TryFind(source, isOverwritten) is { } box && box.Update.Shape.Equals(hero.Shape))
            {
                IndexVector all = IndexVector.From(at);
                roots.Add(new EpilogueRoot(
                    source.Element(box.Update, all), AffineIndex.Of(box.Place(source.Factory, all), result.Type), source.Outputs[i]));
                continue;
            }
            if (result.Shape.ElementCount != hero.Shape.ElementCount)
            {
                return null;
            }
            IndexVector index = result.Shape.Equals(hero.Shape)
                ? IndexVector.From(at)
                : ReshapeIndexing.Map(source.Factory, result.Shape, hero.Shape, IndexVector.From(at));
            roots.Add(new EpilogueRoot(
                source.Element(result, index), AffineIndex.Of(index, result.Type), source.Outputs[i]));
        }
        return elsewhere ? null : new HeroFusion(hero, source, at, value, roots.ToImmutable()) { Borders = borders.ToImmutable() };
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
