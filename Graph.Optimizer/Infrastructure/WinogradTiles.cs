namespace Graphene.Optimizer;

/// <summary>The tiles of results in which Winograd's minimal filtering may compute a 3x3 convolution.</summary>
/// <seealso cref="WinogradForm"/>
public enum WinogradTiles
{
    /// <summary>None: each result is the sum that defines it.</summary>
    None = 0,

    /// <summary>
    /// 2 x 2, with 4/9 of the products. Each result reads its own window and nothing else, and errs less than the definition's sum, because
    /// one sum over nine positions and all features becomes sixteen over the features.
    /// </summary>
    TwoByTwo = 2,

    /// <summary>
    /// 4 x 4 where they are faster, with 1/4 of the products, else 2 x 2. Results err about twice as much as the definition's, and a
    /// value far larger than those beside it spoils the results of its tile, an infinity or NaN all of them.
    /// </summary>
    FourByFour = 4,
}
