using NUnit.Framework;

namespace Graphene.Tests.Support;

internal sealed class SharedMaterialTests
{
    [Test]
    public void AnArchiveIsUnpackedOnceAndFoundAgain()
    {
        string folder = SharedMaterial.RequireUnpacked("conformance/iree_stablehlo_tests.tar.xz");

        Assert.That(Directory.GetFiles(folder, "*.mlir", SearchOption.AllDirectories), Is.Not.Empty);
        Assert.That(SharedMaterial.TryLocateUnpacked("conformance/iree_stablehlo_tests.tar.xz"), Is.EqualTo(folder));
    }

    [Test]
    public void WhatIsNotThereIsNull() => Assert.That(SharedMaterial.TryLocate("no/such/file"), Is.Null);
}
